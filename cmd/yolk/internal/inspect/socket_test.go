package inspect

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A machine is found and asked as long as its process lets it be.
func TestServe(t *testing.T) {
	started := time.Unix(1e9, 0)
	l, err := Serve(q35, About{Name: "web-2", Program: "web server", Machine: "q35", CPUs: 2, Started: started})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"web-2", "web server", ""} {
		r, err := Find(name)
		if err != nil {
			// Others of this user may run machines.
			if name == "" && strings.Contains(err.Error(), "machines run") {
				continue
			}
			t.Fatalf("%q: %v", name, err)
		}
		if r.About.PID != os.Getpid() && name != "" {
			t.Errorf("%q: process %d", name, r.About.PID)
		}
		r.Close()
	}
	r, err := Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.About.Title() != "web server on a q35" || !r.About.Started.Equal(started) || r.About.CPUs != 2 {
		t.Errorf("%+v", r.About)
	}
	m, err := Read(t.Context(), r)
	if err != nil || len(m.Devices) != 3 || m.CPUs != 2 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := r.ReadProc(t.Context(), "no/such"); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("what is not there: %v", err)
	}
	l.Close()
	r.Close()
	if _, err := r.ReadProc(t.Context(), "iomem"); err == nil {
		t.Error("read from a machine that is gone")
	}
	if r, err := Open(os.Getpid()); err == nil {
		r.Close()
		t.Error("found a machine that is gone")
	}
	if _, err := Find("web server"); err == nil || !strings.Contains(err.Error(), "web server") {
		t.Errorf("found by name: %v", err)
	}
}

// A machine that breaks the rules is an error, and nothing is made of the size that it
// says.
func TestStranger(t *testing.T) {
	for _, said := range []string{"", "x\n", "-1\n", "99999999999\n", "5\nabc", "error \x1b\n", strings.Repeat("1", 100_000)} {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socketName(os.Getpid()), Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			c, err := l.Accept()
			if err == nil {
				_, _ = io.WriteString(c, said)
				c.Close()
			}
		}()
		if r, err := Open(os.Getpid()); err == nil {
			r.Close()
			t.Errorf("%.20q: taken for a machine", said)
		}
		l.Close()
	}
}

func TestListed(t *testing.T) {
	const text = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 20001 @yolk/machine/1000/77
0000000000000000: 00000002 00000000 00010000 0001 01 20002 @yolk/machine/1001/78
0000000000000000: 00000003 00000000 00000000 0001 03 20003 @yolk/machine/1000/77
0000000000000000: 00000002 00000000 00010000 0001 01 20004 @yolk/machine/1000/x
0000000000000000: 00000002 00000000 00010000 0001 01 20005 @yolk/machine/1000/5
0000000000000000: 00000002 00000000 00010000 0001 01 20006
`
	if got := listed([]byte(text), prefix(1000)); len(got) != 2 || got[0] != 5 || got[1] != 77 {
		t.Errorf("%d", got)
	}
}

// A machine answers its own user alone, and root. Credentials are a thread's: this test has
// one that is another user's, where it may.
func TestOtherUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("takes root, to be another user")
	}
	l, err := Serve(q35, About{Name: "mine"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const nobody = 65534
	for _, uid := range []uintptr{0, nobody} {
		got := make(chan int)
		go func() {
			runtime.LockOSThread() // and not unlocked: it ends with the goroutine
			defer close(got)
			if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, uid, uid, uid); e != 0 {
				t.Error(e)
				return
			}
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Error(err)
				return
			}
			defer unix.Close(fd)
			if err := unix.Connect(fd, &unix.SockaddrUnix{Name: fmt.Sprint(prefix(0), os.Getpid())}); err != nil {
				t.Error(err)
				return
			}
			_, _ = unix.Write(fd, []byte(aboutName+"\n")) // it may be closed by now
			n, _ := unix.Read(fd, make([]byte, 100))
			got <- n
		}()
		if n := <-got; n > 0 != (uid == 0) {
			t.Errorf("user %d got %d bytes", uid, n)
		}
	}
}
