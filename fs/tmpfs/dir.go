package tmpfs

import (
	"sort"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// dir is the contents of a directory, under FS.names. Entries have cookies in
// the order of their making, which no other entry gets ever after: a reader
// goes on right whatever is removed meanwhile.
type dir struct {
	parent *node // nil in the root, and once the directory is removed
	gone   bool
	byName map[string]*dirent
	order  []*dirent // by cookie; with the removed ones until they are half of it
	last   uint64    // cookie
}

type dirent struct {
	name   string
	node   *node // nil when removed
	cookie uint64
}

func newDir(parent *node) *dir {
	return &dir{parent: parent, byName: make(map[string]*dirent)}
}

// size is what stat shows: the same as Linux's tmpfs, 20 bytes an entry.
func (d *dir) size() int64 { return 20 * int64(len(d.byName)+2) }

func (d *dir) add(name string, n *node) {
	d.last++
	e := &dirent{name, n, d.last}
	d.byName[name] = e
	d.order = append(d.order, e)
}

func (d *dir) remove(name string) {
	e := d.byName[name]
	delete(d.byName, name)
	e.node = nil
	if len(d.order) < 32 || len(d.byName) > len(d.order)/2 {
		return
	}
	kept := make([]*dirent, 0, len(d.byName)+16)
	for _, e := range d.order {
		if e.node != nil {
			kept = append(kept, e)
		}
	}
	d.order = kept
}

// batch is how many entries are read at a time under the lock.
const batch = 64

func (n *node) readDir(cookie uint64, emit func(*fs.Dirent) bool) error {
	var list [batch]fs.Dirent
	for {
		got := n.entries(cookie, list[:0])
		for i := range got {
			cookie = got[i].Next
			if !emit(&got[i]) {
				return nil
			}
		}
		if len(got) < batch {
			return nil
		}
	}
}

func (n *node) entries(cookie uint64, list []fs.Dirent) []fs.Dirent {
	n.fs.names.RLock()
	defer n.fs.names.RUnlock()
	o := n.dir.order
	i := sort.Search(len(o), func(i int) bool { return o[i].cookie > cookie })
	for ; i < len(o) && len(list) < batch; i++ {
		if e := o[i]; e.node != nil {
			list = append(list, fs.Dirent{Name: e.name, Ino: e.node.ino, Type: uint8(e.node.kind >> 12), Next: e.cookie})
		}
	}
	return list
}

func (n *node) Lookup(name string) (fs.Entry, error) {
	if n.dir == nil {
		return fs.Entry{}, syscall.ENOTDIR
	}
	n.fs.names.RLock()
	defer n.fs.names.RUnlock()
	if e := n.dir.byName[name]; e != nil {
		e.node.Ref()
		return entry(e.node), nil
	}
	if n.dir.gone {
		return fs.Entry{}, syscall.ENOENT
	}
	return fs.Entry{Valid: fs.Forever}, nil
}

// newEntry makes a file called name in n, a directory.
func (n *node) newEntry(name string, mode, umask, rdev uint32, text string) (*node, error) {
	if n.dir == nil {
		return nil, syscall.ENOTDIR
	}
	n.fs.names.Lock()
	defer n.fs.names.Unlock()
	return n.newEntryLocked(name, mode, umask, rdev, text)
}

func (n *node) newEntryLocked(name string, mode, umask, rdev uint32, text string) (*node, error) {
	if n.dir.byName[name] != nil {
		return nil, syscall.EEXIST
	}
	if n.dir.gone {
		return nil, syscall.ENOENT
	}
	c, err := n.newFile(mode, umask, rdev)
	if err != nil {
		return nil, err
	}
	c.text = text
	c.nlink = 1
	if c.kind == syscall.S_IFDIR {
		c.dir = newDir(n)
		c.nlink = 2
		n.nlink++
	}
	n.dir.add(name, c)
	n.touch(c.ctime)
	c.Ref()
	return c, nil
}

// newFile makes a node for directory n, which has no name in it yet.
func (n *node) newFile(mode, umask, rdev uint32) (*node, error) {
	c, err := n.fs.newFile(mode&^(umask&0o777), rdev)
	if err != nil {
		return nil, err
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.mode&syscall.S_ISGID != 0 { // the group is inherited
		c.gid = n.gid
		if c.kind == syscall.S_IFDIR {
			c.mode |= syscall.S_ISGID
		}
	}
	return c, nil
}

// Tmpfile implements fs.TmpfileNode.
func (n *node) Tmpfile(flags int, mode, umask uint32) (fs.Entry, fs.File, error) {
	if n.dir == nil {
		return fs.Entry{}, nil, syscall.ENOTDIR
	}
	c, err := n.newFile(syscall.S_IFREG|mode&0o7777, umask, 0)
	if err != nil {
		return fs.Entry{}, nil, err
	}
	c.nameless = flags&syscall.O_EXCL == 0
	c.Ref()
	f, err := c.Open(flags)
	if err != nil {
		c.Unref()
		return fs.Entry{}, nil, err
	}
	return entry(c), f, nil
}

func (n *node) Mknod(name string, mode, umask, rdev uint32) (fs.Entry, error) {
	return made(n.newEntry(name, mode, umask, rdev, ""))
}

func (n *node) Mkdir(name string, mode, umask uint32) (fs.Entry, error) {
	return made(n.newEntry(name, syscall.S_IFDIR|mode&0o7777, umask, 0, ""))
}

func (n *node) Symlink(name, target string) (fs.Entry, error) {
	return made(n.newEntry(name, syscall.S_IFLNK|0o777, 0, 0, target))
}

func made(c *node, err error) (fs.Entry, error) {
	if err != nil {
		return fs.Entry{}, err
	}
	return entry(c), nil
}

func (n *node) Create(name string, flags int, mode, umask uint32) (fs.Entry, fs.File, error) {
	if n.dir == nil {
		return fs.Entry{}, nil, syscall.ENOTDIR
	}
	n.fs.names.Lock()
	c, err := n.newEntryLocked(name, syscall.S_IFREG|mode&0o7777, umask, 0, "")
	if err == syscall.EEXIST && flags&syscall.O_EXCL == 0 {
		c, err = n.dir.byName[name].node, nil
		c.Ref()
	}
	n.fs.names.Unlock()
	if err != nil {
		return fs.Entry{}, nil, err
	}
	f, err := c.Open(flags &^ (syscall.O_CREAT | syscall.O_EXCL))
	if err != nil {
		c.Unref()
		return fs.Entry{}, nil, err
	}
	return entry(c), f, nil
}

func (n *node) Link(name string, target fs.Node) (fs.Entry, error) {
	t, ok := target.(*node)
	switch {
	case !ok || t.fs != n.fs:
		return fs.Entry{}, syscall.EXDEV
	case n.dir == nil:
		return fs.Entry{}, syscall.ENOTDIR
	case t.dir != nil:
		return fs.Entry{}, syscall.EPERM
	}
	n.fs.names.Lock()
	defer n.fs.names.Unlock()
	switch {
	case n.dir.byName[name] != nil:
		return fs.Entry{}, syscall.EEXIST
	case n.dir.gone || t.nlink == 0 && !t.nameless:
		return fs.Entry{}, syscall.ENOENT
	}
	t.nameless = false
	now := clock()
	n.dir.add(name, t)
	t.nlink++
	t.changed(now)
	n.touch(now)
	t.Ref()
	return entry(t), nil
}
