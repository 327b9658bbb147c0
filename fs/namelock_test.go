package fs_test

import (
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
)

// slowHost is a host whose directories list entries with their nodes, and which
// stops where a test wants to be.
type slowHost struct {
	*host
	listed   func()            // a listing has been read, and not been passed on
	changing func(name string) // name is about to be changed
}

func (h *slowHost) Root() fs.Node { return slowNode{h.host.Root().(*hostNode), h} }

// slowNode is the root directory.
type slowNode struct {
	*hostNode
	h *slowHost
}

func (n slowNode) Open(flags int) (fs.File, error) {
	f, err := n.hostNode.Open(flags)
	return slowDir{f, n}, err
}

func (n slowNode) Create(name string, flags int, mode, umask uint32) (fs.Entry, fs.File, error) {
	n.h.changing(name)
	return n.hostNode.Create(name, flags, mode, umask)
}

func (n slowNode) Unlink(name string) error {
	n.h.changing(name)
	return n.hostNode.Unlink(name)
}

type slowDir struct {
	fs.File
	n slowNode
}

func (d slowDir) ReadDir(cookie uint64, emit func(*fs.Dirent) bool) error {
	var list []fs.Dirent
	err := d.File.ReadDir(cookie, func(e *fs.Dirent) bool {
		e.Entry, _ = d.n.Lookup(e.Name)
		list = append(list, *e)
		return true
	})
	d.n.h.listed()
	for i := range list {
		emit(&list[i])
	}
	return err
}

func newSlowHost() (*slowHost, *fs.VFS) {
	h := &slowHost{newHost(time.Hour), func() {}, func(string) {}}
	return h, fs.New(h, fs.MountOptions{})
}

func listAll(t *testing.T, v *fs.VFS) {
	f, d, err := v.Open(fs.Base{}, "/", os.O_RDONLY, 0, 0)
	if err != nil {
		t.Error(err)
		return
	}
	defer d.Put()
	defer f.Release()
	if err := v.ReadDir(d, f, 0, func(*fs.Dirent) bool { return true }); err != nil {
		t.Error(err)
	}
}

// TestListingOvertaken: what a listing tells of a name that was changed meanwhile
// does not come into the cache, neither of a change that began after the listing
// nor of one that was under way.
func TestListingOvertaken(t *testing.T) {
	for _, underWay := range []bool{false, true} {
		h, v := newSlowHost()
		lay(t, v, "f: text")
		remove := func() {
			if err := v.Unlink(fs.Base{}, "f"); err != nil {
				t.Error(err)
			}
		}
		if underWay {
			read, removed := make(chan bool), make(chan bool)
			h.listed = func() { close(read); <-removed }
			var list sync.WaitGroup
			h.changing = func(string) {
				list.Go(func() { listAll(t, v) })
				<-read
			}
			remove()
			close(removed)
			list.Wait()
		} else {
			h.listed = remove
			listAll(t, v)
		}
		if s := read(v, "f"); s != "["+syscall.ENOENT.Error()+"]" {
			t.Errorf("under way %v: f is %q after it was removed", underWay, s)
		}
	}
}

// TestChangesInParallel: a change of one name does not wait for that of another in
// the same directory, but for one of the same name. Of two names, one pair in
// len(nameLocks) has the same lock, so that more than two are changed.
func TestChangesInParallel(t *testing.T) {
	h, v := newSlowHost()
	second, both := make(chan bool), make(chan bool)
	var meet sync.Once
	h.changing = func(name string) {
		select {
		case second <- true: // another one is here, too
			meet.Do(func() { close(both) })
		case <-second:
		case <-both:
		case <-time.After(time.Minute):
			t.Errorf("%s is alone", name)
		}
	}
	var done sync.WaitGroup
	for _, name := range []string{"f", "g", "h", "i", "j", "k", "l", "m"} {
		done.Go(func() {
			if err := write(v, name, ""); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()

	var mu sync.Mutex
	h.changing = func(name string) {
		if !mu.TryLock() {
			t.Error("two changes of one name at once")
			return
		}
		time.Sleep(time.Millisecond)
		mu.Unlock()
	}
	removed := make(chan error)
	for range 4 {
		go func() { removed <- v.Unlink(fs.Base{}, "f") }()
	}
	missing := 0
	for range 4 {
		if err := <-removed; err == syscall.ENOENT {
			missing++
		} else if err != nil {
			t.Error(err)
		}
	}
	if missing != 3 {
		t.Errorf("%d of 4 found that the name was gone", missing)
	}
}
