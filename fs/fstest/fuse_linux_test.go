package fstest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs"
	"github.com/yolkos/yolk/qemu/passthrough"
	"github.com/yolkos/yolk/syscalls"
)

// server is go-fuse's server in this process.
type server struct{ ps *gofuse.ProtocolServer }

func (s server) Name() string { return "go-fuse" }

func (s server) RoundTrip(in, out [][]byte) (int, error) {
	n, status := s.ps.HandleRequest(in, out)
	if status != gofuse.OK {
		return 0, fmt.Errorf("server: %v", status)
	}
	return n, nil
}

func (s server) Send(in [][]byte) error {
	s.ps.HandleRequest(in, nil)
	return nil
}

// builtin is the built-in server in this process.
type builtin struct{ *passthrough.Server }

func (s builtin) Name() string { return "passthrough" }

func (s builtin) RoundTrip(in, out [][]byte) (int, error) { return s.Handle(in, out, func() {}), nil }

func (s builtin) Send(in [][]byte) error {
	s.Handle(in, nil, func() {})
	return nil
}

// shared serves a directory of this machine over FUSE.
func shared(t testing.TB, dir string, o passthrough.Options) fs.FileSystem {
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := passthrough.New(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	f, err := fusefs.Mount(builtin{s}, fusefs.Options{Logf: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil && err != syscall.ENODEV { // the test may have closed it
			t.Error(err)
		}
		s.Close()
	})
	return f
}

// loopback is shared with a lifetime.
func loopback(t testing.TB, dir string, valid time.Duration) fs.FileSystem {
	return shared(t, dir, passthrough.Options{Valid: valid})
}

// serve serves a directory through go-fuse's server, which has been made
// different.
func serve(t testing.TB, dir string, valid time.Duration, change func(*gofs.LoopbackRoot)) fs.FileSystem {
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	root, err := gofs.NewLoopbackRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	change(root.(*gofs.LoopbackNode).RootData)
	o := &gofs.Options{EntryTimeout: &valid, AttrTimeout: &valid}
	f, err := fusefs.Mount(server{gofuse.NewProtocolServer(gofs.NewNodeFS(root, o), &o.MountOptions)}, fusefs.Options{Logf: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSuiteOverFUSE(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the suite makes files that only the superuser may read")
	}
	old := syscall.Umask(0) // the client masks
	t.Cleanup(func() { syscall.Umask(old) })
	for _, o := range []passthrough.Options{{}, {Valid: time.Second}, {Valid: time.Second, NoOpenat2: true}} {
		t.Run(fmt.Sprintf("valid%v,openat2=%v", o.Valid, !o.NoOpenat2), func(t *testing.T) {
			Suite(t, SuiteConfig{New: func(t *testing.T) fs.FileSystem { return shared(t, t.TempDir(), o) }})
		})
	}
}

// TestRandomOverFUSE plays on two directories of this machine, one of them over
// FUSE, with other lifetimes of what the client may keep in each play.
func TestRandomOverFUSE(t *testing.T) {
	c := RandomConfig{
		// O_APPEND cannot be taken from a file that the server has opened with it.
		Skip: func(op string) bool { return strings.Contains(op, "F_SETFL") },
	}
	playAll(t, c, func(t *testing.T, play int) *syscalls.Kernel {
		lifetimes := [plays]time.Duration{time.Second, 0, 10 * time.Millisecond, time.Hour}
		k := NewKernel(shared(t, t.TempDir(), passthrough.Options{Valid: lifetimes[play]}))
		if play == 2 {
			k.VFS().SetCacheSize(0)
		}
		return k
	})
}

// TestDirectoryEnd lists a small directory to its end: the server says once
// that there is no more. Who asks again sees what has come since.
func TestDirectoryEnd(t *testing.T) {
	dir := t.TempDir()
	f := shared(t, dir, passthrough.Options{Valid: time.Second})
	k := NewKernel(f)
	if err := os.WriteFile(filepath.Join(dir, "one"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fd, e := k.Openat(cwd, "/", syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	if e != 0 {
		t.Fatal(e)
	}
	defer k.Close(fd)
	requests := func() (n uint64) {
		for _, s := range f.(*fusefs.FS).Stats() {
			if s.Op == "READDIR" || s.Op == "READDIRPLUS" {
				n += s.Calls
			}
		}
		return n
	}
	for _, want := range []string{"[. 4 .. 4 one 8]", "[]"} {
		if names, e := readNames(k, fd, 1000); fmt.Sprint(names) != want || e != 0 {
			t.Errorf("names %q, %v; want %s", names, e, want)
		}
		if want != "[]" && requests() != 2 {
			t.Errorf("%d requests", requests())
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "two"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	k.Seek(fd, 0, 0)
	if names, _ := readNames(k, fd, 1000); len(names) != 4 {
		t.Errorf("names %q", names)
	}
}
