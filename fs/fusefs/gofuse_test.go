package fusefs

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"sync"
	"testing"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// goServer is go-fuse's server in the same process as a Transport.
type goServer struct {
	ps *gofuse.ProtocolServer
	wg sync.WaitGroup
}

func (s *goServer) Name() string { return "go-fuse" }

func (s *goServer) RoundTrip(in, out [][]byte) (int, error) {
	n, status := s.ps.HandleRequest(in, out)
	if status != gofuse.OK {
		return 0, fmt.Errorf("server: %v", status)
	}
	return n, nil
}

func (s *goServer) Send(in [][]byte) error {
	s.ps.HandleRequest(in, nil)
	return nil
}

// serverLog passes on what the server complains of, but not its warnings that
// files vanish under it and that we tried an operation it lacks.
type serverLog struct{}

func (serverLog) Write(b []byte) (int, error) {
	if !bytes.Contains(b, []byte("warning:")) && !bytes.Contains(b, []byte("Unimplemented opcode")) {
		os.Stderr.Write(b)
	}
	return len(b), nil
}

// serverOptions of a test server.
type serverOptions struct {
	caps     uint64 // further INIT flags to grant
	maxWrite int
	locks    bool
	valid    time.Duration // entry and attribute lifetime
}

func newGoServer(root gofs.InodeEmbedder, o serverOptions) *goServer {
	gopts := &gofs.Options{EntryTimeout: &o.valid, AttrTimeout: &o.valid}
	gopts.Logger = log.New(serverLog{}, "go-fuse: ", 0)
	gopts.ExtraCapabilities = o.caps
	gopts.MaxWrite = o.maxWrite
	gopts.EnableLocks = o.locks
	// It panics where another client changes the type of a file under it.
	gopts.PanicHandler = func(any) gofuse.Status { return gofuse.EIO }
	return &goServer{ps: gofuse.NewProtocolServer(gofs.NewNodeFS(root, gopts), &gopts.MountOptions)}
}

// mount mounts t with the log going to the test.
func mount(t testing.TB, tr fuse.Transport, opts Options) *FS {
	t.Helper()
	if opts.Logf == nil {
		opts.Logf = t.Logf
	}
	f, err := Mount(tr, opts)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// loopback mounts dir of the host through go-fuse, with every message checked
// and counted on its way. At the end of the test all must balance.
func loopback(t testing.TB, dir string, o serverOptions, opts Options) (*FS, *counter) {
	t.Helper()
	root, err := gofs.NewLoopbackRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	c := newCounter(newGoServer(root, o))
	f := mount(t, c, opts)
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		c.check(t)
	})
	return f, c
}

// lookup finds name in dir, with a reference.
func lookup(t testing.TB, dir fs.Node, name string) fs.Node {
	t.Helper()
	e, err := dir.Lookup(name)
	if err != nil {
		t.Fatalf("Lookup(%q): %v", name, err)
	}
	if e.Node == nil {
		t.Fatalf("Lookup(%q): negative entry", name)
	}
	return e.Node
}

// list returns the names that ReadDir yields from cookie 0, in calls of at
// most n entries, and drops the entries.
func list(t testing.TB, dir fs.Node, n int) []string {
	t.Helper()
	f, err := dir.Open(os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	var names []string
	cookie := uint64(0)
	for {
		left := n
		err := f.ReadDir(cookie, func(d *fs.Dirent) bool {
			names = append(names, d.Name)
			cookie = d.Next
			if d.Entry.Node != nil {
				d.Entry.Node.Unref()
			}
			left--
			return left > 0
		})
		if err != nil {
			t.Fatal(err)
		}
		if left == n {
			return names
		}
	}
}

// readAll reads the whole of n.
func readAll(t testing.TB, n fs.Node) []byte {
	t.Helper()
	f, err := n.Open(os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	var a fs.Attr
	if err := f.Getattr(&a); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, a.Size+10)
	total := 0
	for {
		k, err := f.ReadAt(buf[total:], int64(total))
		if err != nil {
			t.Fatal(err)
		}
		if k == 0 {
			return buf[:total]
		}
		total += k
	}
}
