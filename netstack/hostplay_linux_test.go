package netstack

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/yolkos/yolk/fs/socket"
)

// player does calls on sockets of a loopback and says how they end. Each call is told
// by a letter and the number of a socket.
type player interface {
	open(typ int) error
	bind(n, slot int) error
	listen(n int) error
	connect(n, slot int) error // waits until it is known
	accept(n int) error        // waits a while; the new socket is the last
	send(n int, text string) (int, error)
	recv(n int) (string, error) // waits a while
	shutdown(n, how int) error
	option(n, level, name int) (int, error)
	setOption(n, level, name, v int) error
	names(n int) string
	close(n int)
	count() int
}

const playPatience = 2 * time.Second

// ours plays on a Stack.
type ours struct {
	t     *testing.T
	s     *Stack
	files []*socket.File
	ports map[int]uint16
}

func (p *ours) count() int { return len(p.files) }

func (p *ours) open(typ int) error {
	p.files = append(p.files, p.s.openSocket(p.t, syscall.AF_INET, typ, 0))
	return nil
}

func (p *ours) bind(n, slot int) error {
	err := p.files[n].Bind(v4(p.ports[slot], 127, 0, 0, 1))
	if err == nil && p.ports[slot] == 0 {
		name, _ := p.files[n].Name()
		p.ports[slot] = uint16(name[2])<<8 | uint16(name[3])
	}
	return err
}

func (p *ours) listen(n int) error { return p.files[n].Listen(8) }

func (p *ours) connect(n, slot int) error {
	return connect(p.t, p.files[n], v4(p.ports[slot], 127, 0, 0, 1))
}

func (p *ours) wait(n, direction int, do func() error) error {
	p.files[n].Timeouts[direction].Store(int64(playPatience))
	return p.files[n].Await(direction, nil, do)
}

func (p *ours) accept(n int) error {
	return p.wait(n, socket.In, func() error {
		k, err := p.files[n].Accept()
		if err == nil {
			p.files = append(p.files, socket.NewFile(k, &socket.Node{}, syscall.AF_INET, syscall.SOCK_STREAM, 0))
		}
		return err
	})
}

func (p *ours) send(n int, text string) (int, error) { return p.files[n].Write([]byte(text)) }

func (p *ours) recv(n int) (string, error) {
	b := make([]byte, 64)
	p.files[n].Timeouts[socket.In].Store(int64(playPatience))
	k, err := p.files[n].Read(b)
	return string(b[:max(k, 0)]), err
}

func (p *ours) shutdown(n, how int) error { return p.files[n].Shutdown(how) }

func (p *ours) option(n, level, name int) (int, error) {
	var b [4]byte
	_, err := p.files[n].Option(level, name, b[:])
	return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 | int(b[3])<<24, err
}

func (p *ours) setOption(n, level, name, v int) error {
	return p.files[n].SetOption(level, name, []byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)})
}

func (p *ours) names(n int) string {
	text := ""
	for _, get := range []func() ([]byte, error){p.files[n].Name, p.files[n].Peer} {
		b, err := get()
		if err != nil {
			text += " " + err.Error()
			continue
		}
		text += fmt.Sprintf(" %v %t", b[4:8], b[2] != 0 || b[3] != 0)
	}
	return text
}

func (p *ours) close(n int) { p.files[n].Release(); p.files[n] = nil }

// linux plays on the kernel below.
type linux struct {
	t     *testing.T
	fds   []int
	ports map[int]uint16
}

func (p *linux) count() int { return len(p.fds) }

func (p *linux) add(fd int) {
	tv := syscall.NsecToTimeval(int64(playPatience))
	_ = syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &tv)
	p.fds = append(p.fds, fd)
}

func (p *linux) open(typ int) error {
	fd, err := syscall.Socket(syscall.AF_INET, typ|syscall.SOCK_CLOEXEC, 0)
	if err == nil {
		p.add(fd)
	}
	return err
}

func (p *linux) address(slot int) syscall.Sockaddr {
	return &syscall.SockaddrInet4{Port: int(p.ports[slot]), Addr: [4]byte{127, 0, 0, 1}}
}

func (p *linux) bind(n, slot int) error {
	err := syscall.Bind(p.fds[n], p.address(slot))
	if err == nil && p.ports[slot] == 0 {
		sa, _ := syscall.Getsockname(p.fds[n])
		p.ports[slot] = uint16(sa.(*syscall.SockaddrInet4).Port)
	}
	return err
}

func (p *linux) listen(n int) error        { return syscall.Listen(p.fds[n], 8) }
func (p *linux) connect(n, slot int) error { return syscall.Connect(p.fds[n], p.address(slot)) }

func (p *linux) accept(n int) error {
	fd, _, err := syscall.Accept4(p.fds[n], syscall.SOCK_CLOEXEC)
	if err == nil {
		p.add(fd)
	}
	return err
}

func (p *linux) send(n int, text string) (int, error) {
	b := []byte(text)
	k, _, e := syscall.Syscall6(syscall.SYS_SENDTO, uintptr(p.fds[n]), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), syscall.MSG_NOSIGNAL, 0, 0)
	if e != 0 {
		return 0, e
	}
	return int(k), nil
}

func (p *linux) recv(n int) (string, error) {
	b := make([]byte, 64)
	k, err := syscall.Read(p.fds[n], b)
	return string(b[:max(k, 0)]), err
}

func (p *linux) shutdown(n, how int) error { return syscall.Shutdown(p.fds[n], how) }
func (p *linux) option(n, level, name int) (int, error) {
	return syscall.GetsockoptInt(p.fds[n], level, name)
}
func (p *linux) setOption(n, level, name, v int) error {
	return syscall.SetsockoptInt(p.fds[n], level, name, v)
}

func (p *linux) names(n int) string {
	text := ""
	for _, get := range []func(int) (syscall.Sockaddr, error){syscall.Getsockname, syscall.Getpeername} {
		sa, err := get(p.fds[n])
		if err != nil {
			text += " " + err.Error()
			continue
		}
		a := sa.(*syscall.SockaddrInet4)
		text += fmt.Sprintf(" %v %t", a.Addr, a.Port != 0)
	}
	return text
}

func (p *linux) close(n int) { syscall.Close(p.fds[n]); p.fds[n] = -1 }

// playOptions are those that a play sets and reads.
var playOptions = [][2]int{
	{syscall.SOL_SOCKET, syscall.SO_REUSEADDR}, {syscall.SOL_SOCKET, syscall.SO_KEEPALIVE}, {syscall.SOL_SOCKET, syscall.SO_BROADCAST},
	{syscall.SOL_SOCKET, syscall.SO_TYPE}, {syscall.SOL_SOCKET, soProtocol}, {syscall.SOL_SOCKET, soDomain}, {syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN},
	{syscall.SOL_SOCKET, soReusePort}, {syscall.SOL_SOCKET, syscall.SO_TIMESTAMP}, {syscall.SOL_SOCKET, 9999},
	{syscall.IPPROTO_TCP, syscall.TCP_NODELAY}, {syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE}, {syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL},
	{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT}, {syscall.IPPROTO_TCP, syscall.TCP_CORK}, {syscall.IPPROTO_TCP, tcpUserTimeout}, {syscall.IPPROTO_TCP, 9999},
	{syscall.IPPROTO_IP, syscall.IP_TTL}, {syscall.IPPROTO_IP, syscall.IP_PKTINFO}, {syscall.IPPROTO_IP, syscall.IP_RECVTTL},
	{syscall.IPPROTO_IP, syscall.IP_RECVTOS}, {syscall.IPPROTO_IP, syscall.IP_RECVERR}, {syscall.IPPROTO_IP, syscall.IP_MULTICAST_TTL},
	{syscall.IPPROTO_IP, syscall.IP_MULTICAST_LOOP}, {syscall.IPPROTO_IP, syscall.IP_MTU_DISCOVER}, {syscall.IPPROTO_IP, 9999},
	{syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY}, {syscall.IPPROTO_UDP, udpSegment}, {syscall.IPPROTO_UDP, udpGRO},
}

// play does steps random calls, and tells of each. It leaves out what the stack does
// otherwise, both told of in docs/NETWORK.md: SO_REUSEPORT of a socket that is bound already
// counts for the next bind on Linux, and a datagram socket that is connected to port 0
// gets what any port of that address sends.
func play(p player, seed uint64, steps int) (log []string) {
	r := rand.New(rand.NewPCG(seed, 0))
	open := map[int]int{} // type by number
	pick := func() int {
		var list []int
		for n := range p.count() {
			if _, ok := open[n]; ok {
				list = append(list, n)
			}
		}
		choice := r.Uint64()
		if len(list) == 0 {
			return -1
		}
		return list[choice%uint64(len(list))]
	}
	waiting := map[int]int{} // connections that wait, by listening socket
	listening, connected := map[int]int{}, map[int]bool{}
	note := func(format string, args ...any) { log = append(log, fmt.Sprintf(format, args...)) }
	slots := map[int]int{}
	named := map[int]bool{} // slots that a bind has given a port
	for range steps {
		what, slot, v := r.IntN(12), r.IntN(3), r.IntN(5)-1
		o := playOptions[r.IntN(len(playOptions))]
		n := pick()
		if n < 0 || what == 0 && p.count() < 40 {
			typ := []int{syscall.SOCK_STREAM, syscall.SOCK_STREAM, syscall.SOCK_DGRAM}[slot]
			note("open %d: %v", typ, p.open(typ))
			open[p.count()-1] = typ
			continue
		}
		stream := open[n] == syscall.SOCK_STREAM
		if stream {
			slot += 3
		}
		switch what {
		case 1, 2:
			err := p.bind(n, slot)
			if err == nil {
				slots[n], named[slot] = slot, true
			}
			note("bind %d to %d: %v", n, slot, err)
		case 3:
			err := p.listen(n)
			if err == nil {
				if s, ok := slots[n]; ok {
					listening[s] = n
				} else {
					slots[n] = -1
				}
			}
			note("listen %d: %v", n, err)
		case 4, 5:
			if _, bound := slots[n]; bound && stream || !stream && !named[slot] {
				continue // the first may be to itself, of which timing decides
			}
			if l, ok := listening[slot]; !stream || ok && !connected[n] && waiting[l] < 4 {
				err := p.connect(n, slot)
				if err == nil && stream {
					waiting[l]++
					connected[n] = true
					slots[n] = -1
				}
				note("connect %d to %d: %v", n, slot, err)
			}
		case 6:
			if l, ok := listening[slot]; ok && waiting[l] > 0 && open[l] != 0 {
				waiting[l]--
				err := p.accept(l)
				note("accept %d: %v", l, err)
				if err == nil {
					open[p.count()-1] = syscall.SOCK_STREAM
					connected[p.count()-1], slots[p.count()-1] = true, -1
				}
			} else if !stream {
				note("accept %d: %v", n, p.accept(n))
			}
		case 7:
			if !connected[n] {
				k, err := p.send(n, "abc")
				note("send %d: %d %v", n, k, err)
			}
		case 8:
			level, name := o[0], o[1]
			if _, bound := slots[n]; bound && level == syscall.SOL_SOCKET && name == soReusePort {
				continue
			}
			note("set %d %d %d %d: %v", n, level, name, v, p.setOption(n, level, name, v))
		case 9:
			got, err := p.option(n, o[0], o[1])
			note("get %d %d %d: %d %v", n, o[0], o[1], got, err)
		case 10:
			note("names %d:%s", n, p.names(n))
		case 11:
			if how := v; how != 4 && !connected[n] {
				if _, l := slots[n]; !l || !stream {
					note("shutdown %d %d: %v", n, how, p.shutdown(n, how))
					delete(open, n) // what is shut down differs in too many ways
					p.close(n)
				}
			}
		}
	}
	for n := range open {
		p.close(n)
	}
	return log
}

// TestPlay: the same random calls end the same way here and on Linux.
func TestPlay(t *testing.T) {
	seeds, steps := 400, 120
	if os.Getenv("PLAY_SEEDS") != "" {
		fmt.Sscan(os.Getenv("PLAY_SEEDS"), &seeds)
	}
	for seed := range uint64(seeds) {
		want := play(&linux{t: t, ports: map[int]uint16{}}, seed, steps)
		got := play(&ours{t: t, s: newStack(t), ports: map[int]uint16{}}, seed, steps)
		for i := range want {
			if i >= len(got) || got[i] != want[i] {
				t.Errorf("seed %d: Linux says %q, we %q, after\n%s", seed, want[i], got[min(i, len(got)-1)], strings.Join(want[max(0, i-12):i], "\n"))
				break
			}
		}
	}
}
