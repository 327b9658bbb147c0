package fs_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
)

// TestGlide: a walk over directories that are evicted, renamed and removed under it finds
// what is there or that nothing is, and leaves no reference behind.
func TestGlide(t *testing.T) {
	h := newHost(fs.Forever)
	h.at(t, "s/", "s/a/", "s/a/b/", "s/a/b/c/", "s/a/b/c/f: there")
	v := fs.New(h, fs.MountOptions{})
	v.SetCacheSize(2) // less than the path is long
	var over atomic.Bool
	var others, walkers sync.WaitGroup
	others.Go(func() { // moves the directory in the midst there and back
		for !over.Load() {
			if err := v.Rename(fs.Base{}, "s/a", fs.Base{}, "s/x", 0); err != nil {
				t.Error(err)
			}
			runtime.Gosched() // on one CPU, too, it is away for others
			if err := v.Rename(fs.Base{}, "s/x", fs.Base{}, "s/a", 0); err != nil {
				t.Error(err)
			}
			runtime.Gosched()
		}
	})
	others.Go(func() { // has others of the same length come and go, which evicts
		for i := 0; !over.Load(); i++ {
			dir := fmt.Sprintf("s/n%d", i%7)
			if err := v.Mkdir(fs.Base{}, dir, 0o755, 0); err != nil {
				t.Error(err)
			}
			read(v, dir+"/b/c/f")
			if err := v.Rmdir(fs.Base{}, dir); err != nil {
				t.Error(err)
			}
			runtime.Gosched()
		}
	})
	var found, missing atomic.Int64
	for range 4 {
		walkers.Go(func() {
			for found.Load() < 2000 || missing.Load() < 20 {
				switch s := read(v, "s/a/b/c/f"); s {
				case "there":
					found.Add(1)
				case noent:
					missing.Add(1)
				default:
					t.Errorf("found %s", s)
					return
				}
				runtime.Gosched()
			}
		})
	}
	walkers.Wait()
	over.Store(true)
	others.Wait()
	// A directory that something refers to cannot be evicted.
	for _, name := range []string{"s/a/b/c/f", "s/a/b/c", "s/a/b", "s/a"} {
		var err error
		if name == "s/a/b/c/f" {
			err = v.Unlink(fs.Base{}, name)
		} else {
			err = v.Rmdir(fs.Base{}, name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Rmdir(fs.Base{}, "s/a"); err != syscall.ENOENT {
		t.Errorf("removed twice: %v", err)
	}
	v.SetCacheSize(0)
	for range 10 {
		read(v, "none") // makes the cache look at what there is too much
	}
	if held, _, _ := v.CacheStats(); held > 3 { // the root, "s" and the last name
		t.Errorf("%d names are held, with nothing in use", held)
	}
}
