package fusefs

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// TestReleaseDeferred: the release of what was open for reading goes with the
// next request, or by itself after a while; that of a writer goes at once.
func TestReleaseDeferred(t *testing.T) {
	s := newScript(0)
	f := mount(t, &starting{Transport: s}, Options{Logf: s.logf})
	n := lookup(t, f.root, "f")
	open := func(flags int) fs.File {
		file, err := n.Open(flags)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	released := 0
	want := func(when string, more int) {
		t.Helper()
		if released += more; s.number(fuse.FUSE_RELEASE) != released {
			t.Fatalf("%s: %d releases reached the server, want %d", when, s.number(fuse.FUSE_RELEASE), released)
		}
	}
	open(os.O_WRONLY).Release()
	want("a writer", 1)
	f.releases.finish()

	reader := open(os.O_RDONLY)
	start := time.Now()
	reader.Release()
	if got := s.number(fuse.FUSE_RELEASE); got != released && time.Since(start) < releaseTime {
		t.Error("the release of a reader is not deferred")
	}
	for s.number(fuse.FUSE_RELEASE) == released && time.Since(start) < time.Minute {
		time.Sleep(time.Millisecond)
	}
	want("a reader, after a while", 1)
	f.releases.finish()

	open(os.O_RDONLY).Release()
	open(os.O_RDONLY).Release()
	if got := s.number(fuse.FUSE_RELEASE); got < released+1 {
		t.Errorf("%d releases reached the server before a later request, want %d", got, released+1)
	}
	f.releases.finish()
	want("after waiting", 2)
}

// TestReleaseMany: there are never more than some releases under way, and all of
// them arrive, from however many goroutines.
func TestReleaseMany(t *testing.T) {
	s := newScript(0)
	f := mount(t, &starting{Transport: s, depth: 8}, Options{Logf: s.logf})
	n := lookup(t, f.root, "f")
	const each, goroutines = 300, 8
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for range each {
				file, err := n.Open(os.O_RDONLY)
				if err != nil {
					t.Error(err)
					return
				}
				file.Release()
				f.releases.mu.Lock()
				under := f.releases.n
				f.releases.mu.Unlock()
				if under > 4 {
					t.Errorf("%d releases under way, want at most 4", under)
				}
			}
		})
	}
	all.Wait()
	f.releases.finish()
	if got := s.number(fuse.FUSE_RELEASE); got != each*goroutines {
		t.Errorf("%d releases, want %d", got, each*goroutines)
	}
}
