package kernel

import (
	"encoding/binary"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/qemu/passthrough"
	"github.com/yolkos/yolk/syscalls"
)

// serverHere is the built-in server in this process.
type serverHere struct{ *passthrough.Server }

func (s serverHere) Name() string { return "passthrough" }

func (s serverHere) RoundTrip(in, out [][]byte) (int, error) {
	return s.Handle(in, out, func() {}), nil
}

func (s serverHere) Send(in [][]byte) error {
	s.Handle(in, nil, func() {})
	return nil
}

// watchedKernel is a kernel whose root is a share, with a launcher.
func watchedKernel(t *testing.T) (*launcher, *syscalls.Kernel) {
	t.Helper()
	s, err := passthrough.New(t.TempDir(), passthrough.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := fusefs.Mount(serverHere{s}, fusefs.Options{Logf: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Close()
		s.Close()
	})
	la, l := newLauncher(t)
	k := syscalls.New(fs.New(f, fs.MountOptions{}))
	h := newHostWatch(l, k.VFS(), func(x fs.FileSystem) string {
		if x == f {
			return "root"
		}
		return ""
	})
	l.watch.Store(h)
	k.VFS().SetHost(h)
	go l.listen()
	return la, k
}

// hear returns the next line of the kernel that has verb.
func (la *launcher) hear(t *testing.T, verb string) string {
	t.Helper()
	for line := range la.lines {
		if strings.HasPrefix(line, verb+" ") {
			return line
		}
	}
	t.Fatal("the kernel has ended")
	return ""
}

// events reads until there is an event with all bits of mask, and returns its name.
func events(t *testing.T, k *syscalls.Kernel, fd int, mask uint32) string {
	t.Helper()
	buf := make([]byte, 1<<20)
	for {
		n, e := k.Read(fd, buf)
		if e != 0 {
			t.Fatal(e)
		}
		for b := buf[:n]; len(b) > 0; {
			end := 16 + binary.NativeEndian.Uint32(b[12:])
			if binary.NativeEndian.Uint32(b[4:])&mask == mask {
				return strings.TrimRight(string(b[16:end]), "\x00")
			}
			b = b[end:]
		}
	}
}

// TestHostWatch: what is watched is asked of the launcher, once, and what it says
// reaches those who watch; what it says wrongly reaches nobody.
func TestHostWatch(t *testing.T) {
	la, k := watchedKernel(t)
	fd, e := k.InotifyInit1(0)
	if e != 0 {
		t.Fatal(e)
	}
	if e := k.Mkdirat(syscalls.AT_FDCWD, "/a b", 0o755); e != 0 {
		t.Fatal(e)
	}
	var st syscall.Stat_t
	k.Fstatat(syscalls.AT_FDCWD, "/a b", &st, 0)
	go func() {
		if line := la.hear(t, "watch"); line != fmt.Sprintf(`watch 1 root %d "/a b"`, st.Ino) {
			t.Error(line)
		}
		la.say("watching", "watching x y", "watching 7 0", "watching 1 28")
		la.hear(t, "watch")
		la.say("watching 2 0")
	}()
	if _, e := k.InotifyAddWatch(fd, "/a b", fs.InCreate); e != syscall.ENOSPC {
		t.Error("what the host has no room for:", e)
	}
	wd, e := k.InotifyAddWatch(fd, "/a b", fs.InCreate|fs.InMovedFrom)
	if e != 0 {
		t.Fatal(e)
	}
	for range 2 { // of the same file
		if again, e := k.InotifyAddWatch(fd, "/a b", fs.InCreate|fs.InMovedFrom); again != wd || e != 0 {
			t.Error(again, e)
		}
	}
	la.hear(t, "watch-sync")
	la.say("watch-synced x", "watch-synced 99", "watch-synced 1",
		"watch-event", "watch-event 1 2 3", "watch-event 2 256 0 ..", "watch-event 2 256 0 a/b", "watch-event 2 256 x name",
		"watch-event 2 256 0 "+strings.Repeat("x", 256), "watch-event 4294967298 256 0 name", "watch-event 3 256 0 other",
		`watch-event 2 256 0 "new\xff"`)
	if name := events(t, k, fd, fs.InCreate); name != "new\xff" {
		t.Errorf("%q", name)
	}
	la.say("watch-lost")
	events(t, k, fd, fs.InQOverflow)
	// What nobody deals with at once is lost, and holds nobody up.
	for i := range 20 * watchQueue {
		la.say(fmt.Sprintf("watch-event 2 64 %d x", i))
		if i%watchQueue == 0 {
			la.say("watch-lost")
		}
	}
	events(t, k, fd, fs.InQOverflow)
	if e := k.InotifyRmWatch(fd, wd); e != 0 {
		t.Error(e)
	}
	if line := la.hear(t, "unwatch"); line != "unwatch 2" {
		t.Error(line)
	}
}

// TestHostWatchWithout: with a launcher that ends, and in what is no share, only
// the guest's own changes are told.
func TestHostWatchWithout(t *testing.T) {
	la, k := watchedKernel(t)
	k.FileSystems = func(string, string, string) (fs.FileSystem, error) { return tmpfs.New(tmpfs.Limits{}), nil }
	k.Mkdirat(syscalls.AT_FDCWD, "/m", 0o755)
	if e := k.Mount("x", "/m", "tmpfs", 0, ""); e != 0 {
		t.Fatal(e)
	}
	fd, _ := k.InotifyInit1(0)
	if _, e := k.InotifyAddWatch(fd, "/m", fs.InCreate); e != 0 {
		t.Fatal(e)
	}
	go func() {
		la.hear(t, "watch")
		la.conn.Close()
	}()
	if _, e := k.InotifyAddWatch(fd, "/", fs.InCreate); e != 0 {
		t.Fatal(e)
	}
	for _, name := range []string{"m/d", "e"} {
		k.Mkdirat(syscalls.AT_FDCWD, "/"+name, 0o755)
		if got := events(t, k, fd, fs.InCreate|fs.InIsDir); !strings.HasSuffix(name, got) {
			t.Errorf("%q, want %s", got, name)
		}
	}
}
