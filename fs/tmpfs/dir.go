package tmpfs

import (
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/dirlist"
)

// dir is the contents of a directory.
type dir struct {
	parent atomic.Pointer[node] // nil in the root, and once the directory is removed; another one under FS.renames

	mu   sync.RWMutex // of what follows
	gone bool         // removed, for good
	dirlist.List[*node]
}

func newDir(parent *node) *dir {
	d := &dir{}
	d.parent.Store(parent)
	return d
}

// size is what stat shows: the same as Linux's tmpfs, 20 bytes an entry.
func (d *dir) size() int64 { return 20 * int64(d.Len()+2) }

// batch is how many entries are read at a time under the lock.
const batch = 64

func (n *node) readDir(cookie uint64, emit func(*fs.Dirent) bool) error {
	var list [batch]dirlist.Entry[*node]
	e := new(fs.Dirent)
	for {
		got := n.entries(cookie, &list)
		for i := range got {
			g := &got[i]
			cookie = g.Cookie
			e.Name, e.Ino, e.Type, e.Next = g.Name, g.Node.ino, uint8(g.Node.kind>>12), cookie
			if !emit(e) {
				return nil
			}
		}
		if len(got) < batch {
			return nil
		}
	}
}

func (n *node) entries(cookie uint64, list *[batch]dirlist.Entry[*node]) []dirlist.Entry[*node] {
	n.dir.mu.RLock()
	defer n.dir.mu.RUnlock()
	i := 0
	for _, e := range n.dir.After(cookie) {
		if i == batch {
			break
		}
		if e.Node != nil {
			list[i] = *e
			i++
		}
	}
	return list[:i]
}

func (n *node) Lookup(name string) (fs.Entry, error) {
	if n.dir == nil {
		return fs.Entry{}, syscall.ENOTDIR
	}
	n.dir.mu.RLock()
	defer n.dir.mu.RUnlock()
	if e := n.dir.Get(name); e != nil {
		e.Node.Ref()
		return entry(e.Node), nil
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
	n.dir.mu.Lock()
	defer n.dir.mu.Unlock()
	return n.newEntryLocked(name, mode, umask, rdev, text)
}

// newEntryLocked makes it; n.dir.mu is held.
func (n *node) newEntryLocked(name string, mode, umask, rdev uint32, text string) (*node, error) {
	if n.dir.Get(name) != nil {
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
	links := 0
	if c.kind == syscall.S_IFDIR {
		c.dir = newDir(n)
		c.nlink = 2
		links = 1
	}
	n.dir.Add(name, c)
	n.touch(c.ctime, links)
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
	n.dir.mu.Lock()
	c, err := n.newEntryLocked(name, syscall.S_IFREG|mode&0o7777, umask, 0, "")
	if err == syscall.EEXIST && flags&syscall.O_EXCL == 0 {
		c, err = n.dir.Get(name).Node, nil
		c.Ref()
	}
	n.dir.mu.Unlock()
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
	n.dir.mu.Lock()
	defer n.dir.mu.Unlock()
	switch {
	case n.dir.Get(name) != nil:
		return fs.Entry{}, syscall.EEXIST
	case n.dir.gone:
		return fs.Entry{}, syscall.ENOENT
	}
	now := clock()
	if !t.link(now) {
		return fs.Entry{}, syscall.ENOENT
	}
	n.dir.Add(name, t)
	n.touch(now, 0)
	t.Ref()
	return entry(t), nil
}
