package fstest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
)

// TestNamesConcurrent: after many goroutines have changed, looked up and listed
// the same few names, the cache, whose entries hold for an hour, says what is there. The
// server is the built-in one: one that goes by paths takes one name of a file for another
// while they change.
func TestNamesConcurrent(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	v := fs.New(loopback(t, dir, time.Hour), fs.MountOptions{})
	paths := []string{}
	for _, d := range []string{"a", "b"} {
		for i := range 6 {
			paths = append(paths, fmt.Sprint(d, "/n", i))
		}
	}
	rounds := 100
	if testing.Short() {
		rounds = 10
	}
	for round := range rounds {
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(round), uint64(g)))
				for range 40 {
					changeNames(v, paths, r)
				}
			})
		}
		wg.Wait()
		for _, p := range paths {
			compareName(t, v, dir, p)
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}

// changeNames does one operation on some of paths, whatever comes of it.
func changeNames(v *fs.VFS, paths []string, r *rand.Rand) {
	var b fs.Base
	p, q := paths[r.IntN(len(paths))], paths[r.IntN(len(paths))]
	switch r.IntN(10) {
	case 0, 1:
		flags := os.O_RDWR | os.O_CREATE
		if r.IntN(2) == 0 {
			flags |= os.O_EXCL
		}
		if f, d, err := v.Open(b, p, flags, 0o644, 0); err == nil {
			f.Release()
			d.Put()
		}
	case 2, 3:
		v.Unlink(b, p)
	case 4:
		v.Mkdir(b, p, 0o755, 0)
	case 5:
		v.Rmdir(b, p)
	case 6:
		v.Link(b, p, b, q, false)
	case 7:
		v.Rename(b, p, b, q, uint32(r.IntN(3)))
	case 8:
		v.Stat(b, p, false, new(fs.Attr))
	case 9:
		f, d, err := v.Open(b, filepath.Dir(p), os.O_RDONLY, 0, 0)
		if err != nil {
			return
		}
		next := uint64(0)
		for more := true; more; {
			more = false
			n := 0
			v.ReadDir(d, f, next, func(e *fs.Dirent) bool {
				if n++; n > 3 {
					more = true
					return false
				}
				next = e.Next
				return true
			})
		}
		f.Release()
		d.Put()
	}
}

// compareName checks that v has at path what the host has below dir.
func compareName(t *testing.T, v *fs.VFS, dir, path string) {
	t.Helper()
	var have fs.Attr
	var want syscall.Stat_t
	err, wantErr := v.Stat(fs.Base{}, path, false, &have), syscall.Lstat(filepath.Join(dir, path), &want)
	switch {
	case err == nil && wantErr == nil:
		if have.Ino != want.Ino || have.Mode != want.Mode || uint64(have.Nlink) != uint64(want.Nlink) {
			t.Errorf("%s is inode %d, mode %o, %d links; on the host %d, %o, %d", path, have.Ino, have.Mode, have.Nlink, want.Ino, want.Mode, want.Nlink)
		}
	case err != wantErr:
		t.Errorf("%s: %v, on the host %v", path, err, wantErr)
	}
}
