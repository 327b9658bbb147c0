package virtiofs_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
	"github.com/yolkos/yolk/drivers/virtiofs"
	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fstest"
	"github.com/yolkos/yolk/fs/fusefs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

// mortal is a device whose server does not answer once it is stopped.
type mortal struct {
	*virtiotest.Device
	stopped atomic.Bool
	kept    atomic.Int32 // requests since then
}

func newMortal(mem *virtiotest.Memory, features uint64, size int, serve func(c *virtiotest.Chain)) *mortal {
	m := &mortal{Device: virtiotest.New(mem, virtio.DeviceFileSystem, features, size, size)}
	m.ConfigSpace = make([]byte, 40)
	copy(m.ConfigSpace, "root")
	binary.LittleEndian.PutUint32(m.ConfigSpace[36:], 1)
	m.Serve = func(c *virtiotest.Chain) {
		if m.stopped.Load() {
			m.kept.Add(1)
			return
		}
		serve(c)
	}
	return m
}

// within fails if f, which is to end at once, does not end.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatalf("%s does not end", what)
	}
}

// TestServerEnded: every kind of request ends, those that wait for room too.
func TestServerEnded(t *testing.T) {
	for _, features := range []uint64{0, virtio.FeatureIndirectDesc, virtio.FeatureIndirectDesc | virtio.FeatureEventIdx} {
		mem := virtiotest.NewMemory(1 << 20)
		d := newMortal(mem, features, 16, func(c *virtiotest.Chain) { c.Done(0) })
		d.stopped.Store(true)
		f, err := virtiofs.OpenFunc(d, mem, func(err error) { t.Error("told of", err) })
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		check := func(how string, err error) {
			if !errors.Is(err, fuse.ErrServerEnded) || !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "virtiofs root (virtio-test 0)") || !strings.Contains(err.Error(), "killed") {
				t.Errorf("features %#x: %s: %v", features, how, err)
			}
		}
		request := func(i int) {
			in, out := [][]byte{make([]byte, 40), make([]byte, 8)}, [][]byte{make([]byte, 16), make([]byte, 100)}
			var p fuse.Pending
			var err error
			switch i % 4 {
			case 0:
				_, err = f.RoundTrip(in, out)
			case 1:
				if p, err = f.Start(in, out); err == nil {
					_, err = p.Wait()
				}
			case 2:
				if p, err = f.Defer(in, out); err == nil {
					f.Flush()
					_, err = p.Wait()
				}
			case 3:
				for err == nil { // until there is no room
					err = f.Send(in)
				}
			}
			check(fmt.Sprint(i%4), err)
		}
		for i := range 80 {
			wg.Go(func() { request(i) })
		}
		for full := false; !full; time.Sleep(time.Millisecond) {
			qs := f.Device().Queues()
			full = qs[0].Stats().Full > 0 && qs[1].Stats().Full > 0
		}
		f.ServerEnded("killed")
		within(t, "a pending request", wg.Wait)
		within(t, "a later request", func() {
			for i := range 1000 {
				request(i)
			}
			f.Flush()
			f.Drain()
		})
		f.ServerEnded("again")
		f.Close()
		if n := mem.Stats().InUse; n != 0 {
			t.Errorf("features %#x: %d bytes leaked", features, n)
		}
		for _, x := range d.Faults() {
			t.Error("the driver broke a rule:", x)
		}
	}
}

// TestDrain: it waits for a server that takes its time, as the space of a large file takes it, and
// not for one that has ended.
func TestDrain(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	var forgotten atomic.Bool
	d := newMortal(mem, 0, 16, func(c *virtiotest.Chain) {
		time.Sleep(1500 * time.Millisecond)
		forgotten.Store(true)
		c.Done(0)
	})
	f, err := virtiofs.OpenFunc(d, mem, func(err error) { t.Error("told of", err) })
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	forget := func() {
		if err := f.Send([][]byte{make([]byte, 48)}); err != nil {
			t.Fatal(err)
		}
	}
	forget()
	if f.Drain(); !forgotten.Load() {
		t.Error("it has not waited until the server got round to it")
	}
	d.stopped.Store(true)
	forget()
	time.AfterFunc(50*time.Millisecond, func() { f.ServerEnded("killed") })
	start := time.Now()
	within(t, "waiting for a server that has ended", f.Drain)
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it takes %v to see that the server has ended", took)
	}
}

// TestCallsEndWithServer plays a program whose file server ends.
func TestCallsEndWithServer(t *testing.T) {
	for _, valid := range []time.Duration{0, time.Hour} {
		t.Run(valid.String(), func(t *testing.T) { callsEnd(t, valid) })
	}
}

func callsEnd(t *testing.T, valid time.Duration) {
	dir := t.TempDir()
	content := strings.Repeat("0123456789abcdef", 4096)
	for i := range 30 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("file", i)), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root, err := gofs.NewLoopbackRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	o := &gofs.Options{EntryTimeout: &valid, AttrTimeout: &valid}
	server := gofuse.NewProtocolServer(gofs.NewNodeFS(root, o), &o.MountOptions)
	mem := virtiotest.NewMemory(32 << 20)
	d := newMortal(mem, virtio.FeatureIndirectDesc|virtio.FeatureEventIdx, 128, func(c *virtiotest.Chain) {
		var out [][]byte
		for _, w := range c.Write {
			out = append(out, make([]byte, len(w)))
		}
		n, _ := server.HandleRequest(slices.Clone(c.Read), out)
		at := 0
		for _, b := range out {
			at += c.Put(at, b)
		}
		c.Done(n)
	})
	dev, err := virtiofs.Open(d, mem)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var log []string
	f, err := fusefs.Mount(dev, fusefs.Options{Logf: func(format string, args ...any) {
		mu.Lock()
		log = append(log, fmt.Sprintf(format, args...))
		mu.Unlock()
	}})
	if err != nil {
		t.Fatal(err)
	}
	k := fstest.NewKernel(tmpfs.New(tmpfs.Limits{}))
	k.FileSystems = func(string, string, string) (fs.FileSystem, error) { return f, nil }
	if e := k.Mkdirat(syscalls.AT_FDCWD, "/m", 0o755); e != 0 {
		t.Fatal(e)
	}
	if e := k.Mount("root", "/m", "virtiofs", 0, ""); e != 0 {
		t.Fatal(e)
	}
	open := func(name string) int {
		fd, e := k.Openat(syscalls.AT_FDCWD, name, syscall.O_RDWR, 0)
		if e != 0 {
			t.Fatal(name, e)
		}
		return fd
	}
	var fds []int
	for i := range 8 {
		fds = append(fds, open(fmt.Sprint("/m/file", i)))
	}
	dirfd, e := k.Openat(syscalls.AT_FDCWD, "/m", syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	if e != 0 {
		t.Fatal(e)
	}
	known := make([]byte, 1000)
	if n, e := k.Pread(fds[0], known, 0); n != 1000 || e != 0 {
		t.Fatal(n, e)
	}

	calls := map[string]func(i int) syscall.Errno{
		"read":     func(i int) syscall.Errno { _, e := k.Pread(fds[2], make([]byte, 60<<10), 1); return e },
		"write":    func(i int) syscall.Errno { _, e := k.Pwrite(fds[3], make([]byte, 1<<20), 0); return e },
		"append":   func(i int) syscall.Errno { _, e := k.Write(fds[4], []byte("x")); return e },
		"fsync":    func(i int) syscall.Errno { return k.Fsync(fds[5]) },
		"truncate": func(i int) syscall.Errno { return k.Ftruncate(fds[6], 5) },
		"list": func(i int) syscall.Errno {
			for { // . and .. need no server
				if n, e := k.ReadDirent(dirfd, make([]byte, 4096)); n <= 0 {
					return e
				}
			}
		},
		"open": func(i int) syscall.Errno {
			_, e := k.Openat(syscalls.AT_FDCWD, fmt.Sprint("/m/file", 10+i%10), syscall.O_RDONLY, 0)
			return e
		},
		"create": func(i int) syscall.Errno {
			_, e := k.Openat(syscalls.AT_FDCWD, fmt.Sprint("/m/new", i), syscall.O_RDWR|syscall.O_CREAT, 0o644)
			return e
		},
		"stat": func(i int) syscall.Errno {
			return k.Fstatat(syscalls.AT_FDCWD, fmt.Sprint("/m/none", i), new(syscall.Stat_t), 0)
		},
		"mkdir":  func(i int) syscall.Errno { return k.Mkdirat(syscalls.AT_FDCWD, fmt.Sprint("/m/d", i), 0o755) },
		"unlink": func(i int) syscall.Errno { return k.Unlinkat(syscalls.AT_FDCWD, fmt.Sprint("/m/file", 20+i%10), 0) },
		"rename": func(i int) syscall.Errno {
			return k.Renameat2(syscalls.AT_FDCWD, "/m/file29", syscalls.AT_FDCWD, fmt.Sprint("/m/r", i), 0)
		},
	}
	d.stopped.Store(true)
	var wg sync.WaitGroup
	number := 0
	for name, call := range calls {
		for i := range 5 {
			number++
			wg.Go(func() {
				if e := call(i); e != syscall.EIO {
					t.Errorf("pending %s: %v, want EIO", name, e)
				}
			})
		}
	}
	for start := time.Now(); d.kept.Load() < 8 && time.Since(start) < time.Minute; {
		time.Sleep(time.Millisecond)
	}
	dev.ServerEnded("killed")
	within(t, fmt.Sprintf("one of %d pending calls", number), wg.Wait)
	within(t, "a later call", func() {
		for i := range 200 {
			for name, call := range calls {
				if e := call(i); e != syscall.EIO {
					t.Errorf("later %s: %v, want EIO", name, e)
				}
			}
		}
	})
	again := make([]byte, 1000)
	if n, e := k.Pread(fds[0], again, 0); e == 0 && (n != 1000 || string(again) != string(known)) || e != 0 && e != syscall.EIO {
		t.Errorf("known data: %d, %v", n, e)
	}
	if _, e := k.Openat(syscalls.AT_FDCWD, "/else", syscall.O_RDWR|syscall.O_CREAT, 0o644); e != 0 {
		t.Errorf("another file system: %v", e)
	}
	within(t, "the end", func() {
		k.Sync()
		for _, fd := range append(fds, dirfd) {
			k.Close(fd)
		}
		if e := k.Unmount("/m", 0); e != 0 && e != syscall.EIO {
			t.Errorf("unmount: %v", e)
		}
		if e := k.Fstatat(syscalls.AT_FDCWD, "/m/file0", new(syscall.Stat_t), 0); e != syscall.ENOENT {
			t.Errorf("the mount is still there: %v", e)
		}
		k.Shutdown()
		dev.Close()
	})
	// Who has noticed that the server is gone has said so.
	if len(log) > 0 {
		t.Errorf("%d lines in the log: %q", len(log), log[0])
	}
}
