package fstest

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs"
)

// server is go-fuse's server in this process. Each request runs on a goroutine
// of its own: the caller's thread may have another root.
type server struct{ ps *gofuse.ProtocolServer }

func (s server) Name() string { return "go-fuse" }

func (s server) RoundTrip(in, out [][]byte) (int, error) {
	var n int
	var status gofuse.Status
	var wg sync.WaitGroup
	wg.Go(func() { n, status = s.ps.HandleRequest(in, out) })
	wg.Wait()
	if status != gofuse.OK {
		return 0, fmt.Errorf("server: %v", status)
	}
	return n, nil
}

func (s server) Send(in [][]byte) error {
	var wg sync.WaitGroup
	wg.Go(func() { s.ps.HandleRequest(in, nil) })
	wg.Wait()
	return nil
}

// loopback serves a directory of this machine over FUSE.
func loopback(t testing.TB, dir string, valid time.Duration) fs.FileSystem {
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	root, err := gofs.NewLoopbackRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
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
	for _, valid := range []time.Duration{0, time.Second} {
		t.Run(fmt.Sprint("valid", valid), func(t *testing.T) {
			Suite(t, SuiteConfig{
				New:                  func(t *testing.T) fs.FileSystem { return loopback(t, t.TempDir(), valid) },
				NoRemovedDirectories: true,
			})
		})
	}
}

// TestRandomOverFUSE plays on two directories of this machine, one of them
// over FUSE.
func TestRandomOverFUSE(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0)) // for the server, which is told what to subtract
	served := NewKernel(loopback(t, t.TempDir(), time.Second))
	againstLinux(t, served, RandomConfig{
		Seed: startSeed(), Steps: *steps / 5, Every: 100, PlainModes: true,
		Skip: func(op string) bool {
			return strings.Contains(op, "O_TMPFILE") || strings.Contains(op, "F_SETFL") ||
				strings.Contains(op, "O_RDONLY") && strings.Contains(op, "O_TRUNC")
		},
		Excuse: ByPath,
	})
}
