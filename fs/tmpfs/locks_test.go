package tmpfs

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
)

// TestLocks changes directories from many goroutines, below the locks that the VFS has: files and directories are
// made, linked, moved across and exchanged while their directories are removed and moved. Nothing waits for ever, no
// directory lies in itself, link counts are right, and in the end nothing is left.
func TestLocks(t *testing.T) {
	f := New(Limits{})
	root := f.Root().(*node)
	defer root.Unref()
	var dirs [6]*node // they and what was made in them move, whoever has them by here
	for i := range dirs {
		dirs[i] = child(root.Mkdir(fmt.Sprint("top", i), 0o755, 0))
	}
	var all sync.WaitGroup
	for seed := range uint64(8) {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, 1))
			held := dirs
			pick := func() *node { return held[r.IntN(len(held))] }
			name := func() string { return fmt.Sprint(r.IntN(4)) }
			for _, d := range held {
				d.Ref()
			}
			for range 3000 {
				d := pick()
				switch r.IntN(8) {
				case 0:
					if c := child(d.Mkdir(name(), 0o755, 0)); c != nil {
						i := r.IntN(len(held))
						held[i].Unref()
						held[i] = c
					}
				case 1:
					_ = d.Rmdir(name())
				case 2, 3:
					_ = d.Rename(name(), pick(), name(), []uint32{0, 0, fs.RenameExchange, fs.RenameNoReplace, fs.RenameWhiteout}[r.IntN(5)])
				case 4:
					if c := child(d.Mknod(name(), syscall.S_IFREG|0o644, 0, 0)); c != nil {
						if l := child(pick().Link(name(), c)); l != nil {
							l.Unref()
						}
						c.Unref()
					}
				case 5:
					_ = d.Unlink(name())
				case 6:
					if e, file, err := d.Tmpfile(syscall.O_RDWR, 0o644, 0); err == nil {
						if l := child(pick().Link(name(), e.Node)); l != nil {
							l.Unref()
						}
						file.Release()
						e.Node.Unref()
					}
				case 7:
					var a fs.Attr
					if err := d.Getattr(&a); err != nil {
						t.Error(err)
					}
					if c := child(d.Lookup(name())); c != nil {
						c.Unref()
					}
				}
				runtime.Gosched()
			}
			for _, d := range held {
				d.Unref()
			}
		})
	}
	all.Wait()
	files := map[*node]uint32{}
	count(t, root, files)
	for n, links := range files {
		if n.nlink != links {
			t.Errorf("a file has a link count of %d and %d names", n.nlink, links)
		}
	}
	for _, d := range dirs {
		d.Unref()
	}
	if n := f.files.Load(); n > 1 {
		remove(t, root)
		if n := f.files.Load(); n != 1 {
			t.Errorf("%d files are left of %d, the root included", n, len(files))
		}
	}
}

// child is the node of an entry; nil: there is none.
func child(e fs.Entry, err error) *node {
	if err != nil || e.Node == nil {
		return nil
	}
	return e.Node.(*node)
}

// count counts the names of files in and below d, and checks the link counts of directories.
func count(t *testing.T, d *node, files map[*node]uint32) {
	t.Helper()
	links := uint32(2)
	for _, e := range d.dir.After(0) {
		switch {
		case e.Node == nil: // removed
		case e.Node.dir == nil:
			files[e.Node]++
		default:
			links++
			if p := e.Node.dir.parent.Load(); p != d {
				t.Errorf("a directory has another parent than it lies in")
			}
			count(t, e.Node, files)
		}
	}
	if d.nlink != links {
		t.Errorf("a directory has a link count of %d, want %d", d.nlink, links)
	}
}

// remove empties d.
func remove(t *testing.T, d *node) {
	t.Helper()
	var list []fs.Dirent
	if err := d.readDir(0, func(e *fs.Dirent) bool { list = append(list, *e); return true }); err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		err := d.Unlink(e.Name)
		if err == syscall.EISDIR {
			c := child(d.Lookup(e.Name))
			remove(t, c)
			c.Unref()
			err = d.Rmdir(e.Name)
		}
		if err != nil {
			t.Error(e.Name, err)
		}
	}
}
