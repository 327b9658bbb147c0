package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/internal/tools"
	"github.com/yolkos/yolk/qemu"
)

// caller is a program that reads what a server has to say, and then says something itself
// to who comes to port 80.
const caller = `package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

func main() {
	l, err := net.Listen("tcp", ":80")
	check(err)
	c, err := net.Dial("tcp", os.Args[1])
	check(err)
	text, err := io.ReadAll(c)
	fmt.Printf("%s%v, from %v\n", text, err, c.LocalAddr().(*net.TCPAddr).IP)
	c, err = l.Accept()
	check(err)
	_, err = io.WriteString(c, "from the guest\n")
	check(err)
	check(c.Close())
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
`

// buildCaller builds that into an image.
func buildCaller(t *testing.T) (image string) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/caller\n\ngo 1.25\n")
	write(t, filepath.Join(dir, "main.go"), caller)
	image = filepath.Join(dir, "caller.elf")
	if got := runCommand(t, yolkCommand(t, dir, "build", "-o", image, ".")); got.status != 0 {
		t.Fatal(got.stderr)
	}
	return image
}

// sayOnce has a server of this host say something to one client. It returns its port.
func sayOnce(t *testing.T, addr string) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		if c, err := l.Accept(); err == nil {
			io.WriteString(c, "from the host\n")
			c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// hearGuest returns what is said at an address where a guest is going to listen; it may
// take time to boot.
func hearGuest(addr string) (string, error) {
	for limit := time.Now().Add(5 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		c, err := net.DialTimeout("tcp", addr, time.Minute)
		if err == nil {
			var text []byte
			text, err = io.ReadAll(c)
			c.Close()
			if err == nil && len(text) > 0 {
				return string(text), nil
			}
		}
		if time.Now().After(limit) {
			return "", fmt.Errorf("nothing is said at %s: %w", addr, err)
		}
	}
}

// TestGuestTap: a guest on a tap device reaches the host and is reached from there, with the
// addresses that it is given, in a network namespace of the test's own.
func TestGuestTap(t *testing.T) {
	needGuest(t)
	image := tools.Namespace()
	if image == "" {
		if os.Geteuid() != 0 {
			t.Skip("only root makes tap devices")
		}
		if _, err := os.Stat("/dev/net/tun"); err != nil {
			t.Skip(err)
		}
		tools.InNamespace(t, buildCaller(t))
		return
	}
	makeTap(t, "yolk0", netip.MustParsePrefix("10.9.0.1/24"))
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			port := sayOnce(t, "10.9.0.1:0")
			cmd := yolkCommand(t, ".", "run", "-q", "--timeout", "10m", "--machine", machine, "--net", "tap=yolk0",
				"--ip", "10.9.0.2/24", "--gateway", "10.9.0.1", image, fmt.Sprint("10.9.0.1:", port))
			checkCaller(t, cmd, "10.9.0.2", func(string) string { return "10.9.0.2:80" })
		})
	}
}

// makeTap makes a tap device as docs/NETWORK.md says it, in this network namespace, and gives
// the host an address there.
func makeTap(t *testing.T, name string, addr netip.Prefix) {
	t.Helper()
	tun, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(tun)
	request := func() *unix.Ifreq {
		r, err := unix.NewIfreq(name)
		must(t, err)
		return r
	}
	r := request()
	r.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	must(t, unix.IoctlIfreq(tun, unix.TUNSETIFF, r))
	must(t, unix.IoctlSetInt(tun, unix.TUNSETPERSIST, 1))

	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(fd)
	r = request()
	must(t, r.SetInet4Addr(addr.Addr().AsSlice()))
	must(t, unix.IoctlIfreq(fd, unix.SIOCSIFADDR, r))
	r = request()
	must(t, r.SetInet4Addr(net.CIDRMask(addr.Bits(), 32)))
	must(t, unix.IoctlIfreq(fd, unix.SIOCSIFNETMASK, r))
	r = request()
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	must(t, unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r))
}

// TestGuestSlirp: where QEMU has no stream backend, as before 7.2, its own network stands for
// the user's, and yolk says so.
func TestGuestSlirp(t *testing.T) {
	needGuest(t)
	real, err := qemu.FindQEMU()
	must(t, err)
	old := t.TempDir()
	layOut(t, old, map[string]string{filepath.Base(real): `#!/bin/sh
for arg; do
	case "$arg" in
	stream,*) echo "qemu-system-x86_64: -netdev $arg: Parameter 'type' expects a netdev backend type" >&2; exit 1 ;;
	esac
done
exec ` + real + ` "$@"
`})
	must(t, os.Chmod(filepath.Join(old, filepath.Base(real)), 0o755))
	image := buildCaller(t)
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			port := sayOnce(t, "127.0.0.1:0")
			cmd := yolkCommand(t, ".", "run", "-q", "--timeout", "10m", "--machine", machine, "-p", "127.0.0.1:0:80", image, fmt.Sprint("10.0.2.2:", port))
			cmd.Env = append(cmd.Environ(), "PATH="+old+":"+os.Getenv("PATH"))
			text := checkCaller(t, cmd, "10.0.2.15", func(text string) string {
				if m := regexp.MustCompile(`port (\d+) of the host`).FindStringSubmatch(text); m != nil {
					return "127.0.0.1:" + m[1]
				}
				return ""
			})
			if !strings.Contains(text, "with QEMU's own the guest reaches what listens on the host's loopback") {
				t.Errorf("yolk says %q", text)
			}
		})
	}
}

// checkCaller runs the program, and is the client at the address that is found in what yolk says; own is
// the guest's address. It returns all that yolk said.
func checkCaller(t *testing.T, cmd *exec.Cmd, own string, find func(text string) string) string {
	t.Helper()
	var stdout, stderr logBuffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	must(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var heard string
	var err error
	for addr := ""; addr == ""; time.Sleep(20 * time.Millisecond) {
		if addr = find(stderr.String()); addr != "" {
			heard, err = hearGuest(addr)
		} else if len(ended) > 0 {
			break
		}
	}
	if err != nil || heard != "from the guest\n" {
		t.Errorf("heard %q, %v", heard, err)
		cmd.Process.Signal(syscall.SIGTERM)
	}
	if err := <-ended; err != nil || stdout.String() != "from the host\n<nil>, from "+own+"\n" {
		t.Errorf("%v; said %q", err, stdout.String())
	}
	if t.Failed() {
		t.Logf("yolk: %s", stderr.String())
	}
	return stderr.String()
}
