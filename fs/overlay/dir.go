package overlay

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/dirlist"
)

// dir is what a directory has besides its lower one, under FS.names. A name that it has
// and the lower one too is among the hidden: what shows of the lower one, and what is
// here, have no name in common.
type dir struct {
	parent *node // with a reference; nil in the root, and once the directory is removed
	gone   bool
	hidden map[string]struct{} // names of the lower one that do not show
	own    dirlist.List[*node]
}

// ownCookies is what is added to the cookies of what is not the lower directory's, whose
// cookies are smaller.
const ownCookies = 1 << 62

// remove takes a name away, of whichever of the two it is.
func (d *dir) remove(name string) {
	if e := d.own.Get(name); e != nil {
		d.own.Remove(e)
		return
	}
	if d.hidden == nil {
		d.hidden = make(map[string]struct{})
	}
	d.hidden[name] = struct{}{}
}

// find returns what n, a directory, has of a name, with a reference; nil: nothing.
// FS.names is held.
func (n *node) find(name string) (*node, error) {
	if e := n.dir.own.Get(name); e != nil {
		e.Node.Ref()
		return e.Node, nil
	}
	if _, hidden := n.dir.hidden[name]; hidden || n.lower == nil || n.dir.gone {
		return nil, nil
	}
	e, err := n.lower.Lookup(name)
	switch {
	case err == syscall.ENOENT || err == nil && e.Node == nil:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return n.fs.nodeOf(e.Node, n)
}

func (n *node) Lookup(name string) (fs.Entry, error) {
	if n.dir == nil {
		return fs.Entry{}, syscall.ENOTDIR
	}
	n.fs.names.RLock()
	defer n.fs.names.RUnlock()
	c, err := n.find(name)
	switch {
	case err != nil:
		return fs.Entry{}, err
	case c != nil:
		return entry(c), nil
	case n.dir.gone:
		return fs.Entry{}, syscall.ENOENT
	}
	return fs.Entry{Valid: fs.Forever}, nil
}

func entry(n *node) fs.Entry { return fs.Entry{Node: n, Valid: fs.Forever} }

// empty tells if n, a directory, has no entries. FS.names is held.
func (n *node) empty() (bool, error) {
	if n.dir.own.Len() > 0 {
		return false, nil
	}
	if n.lower == nil {
		return true, nil
	}
	f, err := n.lower.Open(syscall.O_RDONLY)
	if err != nil {
		return false, err
	}
	defer f.Release()
	list, _, err := n.lowerEntries(f, 0, 1, nil)
	return len(list) == 0, err
}

// lowerEntries appends up to most entries of the lower directory that show, of those behind
// cookie, to list. end: there are no more. FS.names is held.
func (n *node) lowerEntries(f fs.File, cookie uint64, most int, list []fs.Dirent) (_ []fs.Dirent, end bool, err error) {
	end, bad := true, false
	err = f.ReadDir(cookie, func(e *fs.Dirent) bool {
		if e.Entry.Node != nil {
			e.Entry.Node.Unref()
		}
		if bad = e.Next >= ownCookies; bad {
			return false
		}
		if _, hidden := n.dir.hidden[e.Name]; hidden {
			return true
		}
		if len(list) == most {
			end = false
			return false
		}
		list = append(list, fs.Dirent{Name: e.Name, Ino: lowerIno(e.Ino), Type: e.Type, Next: e.Next})
		return true
	})
	if bad && err == nil {
		err = syscall.EIO // from here on there would be no way
	}
	return list, end, err
}

// ownEntries is lowerEntries for what is not the lower directory's; cookie is one of its,
// or ownCookies.
func (n *node) ownEntries(cookie uint64, most int, list []fs.Dirent) []fs.Dirent {
	for _, e := range n.dir.own.After(cookie - ownCookies) {
		if len(list) == most {
			break
		}
		if e.Node != nil {
			list = append(list, fs.Dirent{Name: e.Name, Ino: e.Node.ino, Type: uint8(e.Node.kind >> 12), Next: ownCookies + e.Cookie})
		}
	}
	return list
}

func (n *node) openDir() (fs.File, error) {
	d := &openDir{node: n}
	if n.lower != nil {
		f, err := n.lower.Open(syscall.O_RDONLY)
		if err != nil {
			return nil, err
		}
		d.lower = f
	}
	n.Ref()
	return d, nil
}

// openDir is an open directory.
type openDir struct {
	*node
	lower fs.File // nil: there is none
}

// batch is how many entries are read at a time under the lock.
const batch = 64

func (d *openDir) ReadDir(cookie uint64, emit func(*fs.Dirent) bool) error {
	var room [batch]fs.Dirent
	for {
		list, end, err := d.entries(cookie, room[:0])
		for i := range list {
			cookie = list[i].Next
			if !emit(&list[i]) {
				return nil
			}
		}
		if err != nil || end {
			return err
		}
	}
}

// entries reads a batch of entries: first the lower directory's, then the others.
func (d *openDir) entries(cookie uint64, list []fs.Dirent) (_ []fs.Dirent, end bool, err error) {
	d.fs.names.RLock()
	defer d.fs.names.RUnlock()
	if d.dir.gone {
		return nil, true, nil
	}
	if d.lower != nil && cookie < ownCookies {
		if list, end, err = d.lowerEntries(d.lower, cookie, batch, list); err != nil || !end {
			return list, false, err
		}
	}
	list = d.ownEntries(max(cookie, ownCookies), batch, list)
	return list, len(list) < batch, nil
}

func (d *openDir) ReadAt([]byte, int64) (int, error) { return 0, syscall.EISDIR }

func (d *openDir) WriteAt([]byte, int64) (int, int64, error) { return 0, 0, syscall.EBADF }

func (d *openDir) Fsync(bool) error { return nil }

func (d *openDir) Flush() error { return nil }

// SetFlags implements fs.FlagFile: there is nothing that they change.
func (d *openDir) SetFlags(int) error { return nil }

func (d *openDir) Release() {
	if d.lower != nil {
		d.lower.Release()
	}
	d.Unref()
}
