package syscalls

import (
	"flag"
	"math/rand/v2"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/anonfs"
)

var (
	playSeed  = flag.Uint64("seed", 1, "the first seed of TestRandomEvents")
	playSeeds = flag.Int("seeds", 400, "how many plays TestRandomEvents makes")
)

// TestRandomEvents makes the same random calls on descriptors of all kinds on
// Linux and on a Kernel, which have to answer alike.
func TestRandomEvents(t *testing.T) {
	for i := range *playSeeds {
		seed := *playSeed + uint64(i)
		if d := differs(func(s *script) { playEvents(s, seed, 120) }); d != "" {
			t.Fatalf("-seed %d -seeds 1:\n%s", seed, d)
		}
	}
}

// player makes random calls.
type player struct {
	*script
	*rand.Rand
}

func (p *player) any() int        { return p.IntN(len(p.fds) + 1) }
func (p *player) of(n ...int) int { return n[p.IntN(len(n))] }

// size is how many bytes to read or write: around what matters.
func (p *player) size() int {
	return max(0, p.of(0, 1, 8, 100, 4096, 8192, 65536, 70000)+p.of(0, 0, 0, -1, 1, 7))
}

func (p *player) events() uint32 {
	e := uint32(p.of(unix.EPOLLIN, unix.EPOLLOUT, unix.EPOLLIN|unix.EPOLLOUT, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP, 0, unix.EPOLLRDNORM, unix.EPOLLPRI, unix.EPOLLHUP))
	switch p.IntN(6) {
	case 0, 1:
		e |= unix.EPOLLET
	case 2:
		e |= unix.EPOLLONESHOT
	case 3:
		e |= unix.EPOLLET | unix.EPOLLONESHOT
	case 4:
		if p.IntN(4) == 0 {
			e |= unix.EPOLLEXCLUSIVE
		}
	}
	return e
}

func playEvents(s *script, seed uint64, steps int) {
	p := &player{s, rand.New(rand.NewPCG(seed, 0))}
	s.makePipe(syscall.O_NONBLOCK)
	s.note("%d", len(s.fds))
	fd, e := s.epollCreate1(0)
	s.made("epoll_create1", fd, e)
	for range steps {
		if len(s.fds) > 24 {
			p.doClose(p.any())
		}
		p.step()
	}
}

func (p *player) step() {
	switch n := p.IntN(100); {
	case n < 4:
		p.makePipe(syscall.O_NONBLOCK | p.of(0, 0, 0, syscall.O_CLOEXEC, syscall.O_DIRECT))
	case n < 8:
		flags := p.of(0, 0, efdSemaphore)
		fd, e := p.eventfd2(uint(p.of(0, 1, 5, -1)), flags|syscall.O_NONBLOCK)
		p.made("eventfd2", fd, e)
	case n < 11:
		flags := p.of(0, mfdAllowSealing, mfdAllowSealing, mfdNoexecSeal)
		fd, e := p.memfdCreate("x", flags)
		p.made("memfd_create", fd, e)
	case n < 14:
		fd, e := p.epollCreate1(p.of(0, syscall.O_CLOEXEC))
		p.made("epoll_create1", fd, e)
	case n < 16:
		fd, e := p.timerfdCreate(p.of(CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME), syscall.O_NONBLOCK)
		p.made("timerfd_create", fd, e)
	case n < 20:
		i := p.any()
		fd, e := p.dup(p.at(i))
		p.made("dup", fd, e)
	case n < 24:
		p.doClose(p.any())
	case n < 34:
		p.doRead(p.any(), p.size())
	case n < 46:
		if p.IntN(3) == 0 {
			p.doWrite(p.any(), value(uint64(p.of(0, 1, 2, 1<<40, -2, -1))))
		} else {
			p.doWrite(p.any(), p.bytes(p.size()))
		}
	case n < 58:
		var event *EpollEvent
		op := p.of(anonfs.Add, anonfs.Add, anonfs.Add, anonfs.Modify, anonfs.Delete)
		if op != anonfs.Delete || p.IntN(2) == 0 {
			event = &EpollEvent{Events: p.events(), Data: p.Uint64()}
		}
		p.doCtl(p.any(), op, p.any(), event)
	case n < 74:
		p.doWait(p.any(), p.of(1, 2, 64))
	case n < 79:
		p.doPoll()
	case n < 81:
		i := p.any()
		got, e := p.fionread(p.at(i))
		p.note("FIONREAD %d: %d %v", i, got, e)
	case n < 84:
		i, cmd, arg := p.any(), p.of(fSetPipeSize, fGetPipeSize), p.of(0, 1, 4096, 5000, 65536, 1<<20)
		got, e := p.fcntl(p.at(i), cmd, arg)
		p.note("fcntl %d, %d, %d: %s", i, cmd, arg, result(got, e, ""))
	case n < 92:
		p.move()
	case n < 94:
		i := p.any()
		var seals int
		for range p.IntN(3) {
			seals |= 1 << p.IntN(7)
		}
		cmd := p.of(fAddSeals, fGetSeals)
		got, e := p.fcntl(p.at(i), cmd, seals)
		p.note("fcntl %d, %d, %#x: %s", i, cmd, seals, result(got, e, ""))
	case n < 96:
		i, size := p.any(), int64(p.size())
		p.note("ftruncate %d, %d: %v", i, size, p.ftruncate(p.at(i), size))
	case n < 97:
		i := p.any()
		got, e := p.seek(p.at(i), int64(p.size()), p.IntN(3))
		p.note("lseek %d: %d %v", i, got*int64(min(1, int(got)+1)), e)
	case n < 98:
		i := p.any()
		st, e := p.fstat(p.at(i))
		p.note("fstat %d: %o %d %d %d %v", i, st.Mode, st.Nlink, st.Size, st.Blksize, e)
	case n < 99:
		p.timer()
	default:
		i := p.any()
		got, e := p.fcntl(p.at(i), syscall.F_GETFL, 0)
		p.note("F_GETFL %d: %#x %v", i, got, e)
	}
}

func (p *player) doPoll() {
	var fds, which []int
	var events []int16
	for range 1 + p.IntN(4) {
		which = append(which, p.any())
		fds = append(fds, p.at(which[len(which)-1]))
		events = append(events, int16(p.of(fs.PollIn, fs.PollOut, fs.PollIn|fs.PollOut|fs.PollRdNorm|fs.PollWrNorm, fs.PollPri, fs.PollRdHup, 0)))
	}
	revents, n, e := p.poll(fds, events)
	p.note("poll %d, %x: %x %d %v", which, events, revents, n, e)
}

// move is one of splice and its relatives.
func (p *player) move() {
	a, b, n, flags := p.any(), p.any(), p.size(), p.of(spliceNonblock, spliceNonblock|1)
	var off, off2 *int64
	offset := func() *int64 {
		if p.IntN(4) > 0 {
			return nil
		}
		o := int64(p.of(0, 1, 4096, 5000))
		return &o
	}
	off, off2 = offset(), offset()
	at := func(o *int64) int64 {
		if o == nil {
			return 0
		}
		return *o
	}
	switch p.IntN(6) {
	case 0, 1:
		got, e := p.splice(p.at(a), off, p.at(b), off2, n, flags)
		p.note("splice %d %d %d: %s %d %d", a, b, n, result(got, e, ""), at(off), at(off2))
	case 2:
		got, e := p.tee(p.at(a), p.at(b), n, flags)
		p.note("tee %d %d %d: %s", a, b, n, result(got, e, ""))
	case 3:
		got, e := p.sendfile(p.at(a), p.at(b), off, n)
		p.note("sendfile %d %d %d: %s %d", a, b, n, result(got, e, ""), at(off))
	case 4:
		bufs := [][]byte{p.bytes(p.size()), p.bytes(p.of(0, 1, 3000)), p.bytes(p.size())}
		got, e := p.pwritev2(p.at(a), bufs, int64(p.of(-1, -1, 0, 5)), p.of(0, 0, rwfAppend, rwfHipri))
		p.note("pwritev2 %d: %s", a, result(got, e, ""))
	case 5:
		bufs := [][]byte{make([]byte, p.size()), nil, make([]byte, p.of(1, 10, 5000))}
		got, e := p.preadv2(p.at(a), bufs, int64(p.of(-1, -1, 0, 5)), p.of(0, 0, rwfHipri))
		p.note("preadv2 %d: %s %s", a, result(got, e, ""), content(append(bufs[0], bufs[2]...), got))
	}
}

// timer sets a timer so that time makes no difference.
func (p *player) timer() {
	i := p.any()
	v := Itimerspec{}
	flags := 0
	switch p.IntN(4) {
	case 0:
		v.Value.Sec = 1 << 40
		v.Interval.Sec = 7
	case 1:
		v.Value.Nsec = 1
		flags = anonfs.TimerAbsolute // long ago
	case 2:
		v.Value.Nsec = int64(p.of(-1, 1e9))
	case 3:
		v.Interval.Sec = 3
	}
	old, e := p.timerfdSettime(p.at(i), flags, &v)
	p.note("timerfd_settime %d, %v: %v %v", i, v, old.Interval, e)
	now, e := p.timerfdGettime(p.at(i))
	p.note("timerfd_gettime %d: %v %v %v", i, now.Interval, now.Value != syscall.Timespec{}, e)
}
