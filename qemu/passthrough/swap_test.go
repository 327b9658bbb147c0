package passthrough

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fstest"
	"github.com/yolkos/yolk/fs/fusefs"
	"github.com/yolkos/yolk/syscalls"
)

// transport is a server as the client's fuse.Transport.
type transport struct{ *Server }

func (s transport) Name() string { return "passthrough" }

func (s transport) RoundTrip(in, out [][]byte) (int, error) {
	return s.Handle(in, out, func() {}), nil
}

func (s transport) Send(in [][]byte) error {
	s.Handle(in, nil, func() {})
	return nil
}

// guest is a kernel whose root is served.
func guest(t testing.TB, s *Server) *syscalls.Kernel {
	t.Helper()
	f, err := fusefs.Mount(transport{s}, fusefs.Options{Logf: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return fstest.NewKernel(f)
}

const swapCwd = -100 // AT_FDCWD

// TestSwappedLinks has somebody on the host put a link to the outside in the
// place of a directory and back, all the time, while a guest works in there.
func TestSwappedLinks(t *testing.T) {
	for _, o := range []Options{{}, {NoOpenat2: true}} {
		c := sharing(t, o)
		dir, link := filepath.Join(c.root, "d"), filepath.Join(c.root, "l")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		c.host("d/secret", "inside")
		if err := os.Symlink("../outside", link); err != nil {
			t.Fatal(err)
		}
		k := guest(t, c.s)
		var swaps, inside atomic.Int64
		stop := make(chan struct{})
		var host sync.WaitGroup
		host.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := unix.Renameat2(unix.AT_FDCWD, dir, unix.AT_FDCWD, link, unix.RENAME_EXCHANGE); err != nil {
					t.Error(err)
					return
				}
				swaps.Add(1)
			}
		})
		var guests sync.WaitGroup
		for range 2 {
			guests.Go(func() {
				for i := range 2000 {
					if fd, e := k.Openat(swapCwd, "/d/secret", syscall.O_RDWR, 0); e == 0 {
						b := make([]byte, 10)
						n, _ := k.Read(fd, b)
						k.Close(fd)
						if string(b[:n]) == "secret" {
							t.Error("the guest reads what is outside")
							return
						}
						inside.Add(1)
					}
					var st syscall.Stat_t
					k.Fstatat(swapCwd, "/d/secret", &st, 0)
					if fd, e := k.Openat(swapCwd, "/d/new", syscall.O_CREAT|syscall.O_WRONLY, 0o600); e == 0 {
						k.Close(fd)
					}
					k.Mkdirat(swapCwd, "/d/newdir", 0o700)
					k.Unlinkat(swapCwd, "/d/new", 0)
					if i%10 == 0 {
						k.Fchmodat(swapCwd, "/d/secret", 0o644, 0)
						k.Renameat2(swapCwd, "/d/newdir", swapCwd, "/d/other", 0)
						k.Unlinkat(swapCwd, "/d/other", 0x200)
					}
				}
			})
		}
		guests.Wait()
		close(stop)
		host.Wait()
		c.unharmed()
		t.Logf("%d swaps, %d files read", swaps.Load(), inside.Load())
		if swaps.Load() < 10 || inside.Load() == 0 {
			t.Error("nothing was tried")
		}
	}
}
