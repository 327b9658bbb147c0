package fusefs

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

var _ fs.UnseenNode = (*node)(nil)

// start checks that n may be asked about name and starts a request.
func (n *node) start(op uint32, name string) (*request, error) {
	if err := n.usable(); err != nil {
		return nil, err
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	return n.fs.request(op, n.id), nil
}

// Lookup implements fs.Node.
func (n *node) Lookup(name string) (fs.Entry, error) {
	r, err := n.start(fuse.FUSE_LOOKUP, name)
	if err != nil {
		return fs.Entry{}, err
	}
	defer n.fs.done(r)
	r.name(name)
	e, err := n.callEntry(r, name)
	if err == nil {
		n.lookedUp(&e)
	}
	return e, err
}

// create sends r, which makes name in n.
func (n *node) create(r *request, name string) (fs.Entry, error) {
	e, err := n.callEntry(r, name)
	n.renamed()
	return e, err
}

// renamed notes that a call of ours has changed names in n.
func (n *node) renamed() {
	n.renames.Add(1)
	n.changedHere(dirtyAll)
}

// MakesUnseen implements fs.UnseenNode. (Unlink and Rmdir are another matter:
// the virtiofsd of QEMU answers EIO unless the name was looked up.)
func (n *node) MakesUnseen() {}

// mask applies umask to mode unless the server does (FUSE_DONT_MASK).
func (f *FS) mask(mode, umask uint32) uint32 {
	if f.session.has(fuse.FUSE_DONT_MASK) {
		return mode
	}
	return mode &^ (umask & 0o777)
}

// Mknod implements fs.Node.
func (n *node) Mknod(name string, mode, umask, rdev uint32) (fs.Entry, error) {
	r, err := n.start(fuse.FUSE_MKNOD, name)
	if err != nil {
		return fs.Entry{}, err
	}
	defer n.fs.done(r)
	in := fuse.MknodIn{Mode: n.fs.mask(mode, umask), Rdev: rdev, Umask: umask}
	r.buf = in.AppendTo(r.buf)
	r.name(name)
	return n.create(r, name)
}

// Mkdir implements fs.Node.
func (n *node) Mkdir(name string, mode, umask uint32) (fs.Entry, error) {
	r, err := n.start(fuse.FUSE_MKDIR, name)
	if err != nil {
		return fs.Entry{}, err
	}
	defer n.fs.done(r)
	in := fuse.MkdirIn{Mode: n.fs.mask(mode, umask), Umask: umask}
	r.buf = in.AppendTo(r.buf)
	r.name(name)
	return n.create(r, name)
}

// Symlink implements fs.Node.
func (n *node) Symlink(name, target string) (fs.Entry, error) {
	if len(target) == 0 {
		return fs.Entry{}, syscall.ENOENT
	}
	if len(target) >= fs.PathMax {
		return fs.Entry{}, syscall.ENAMETOOLONG
	}
	for i := 0; i < len(target); i++ {
		if target[i] == 0 {
			return fs.Entry{}, syscall.EINVAL
		}
	}
	r, err := n.start(fuse.FUSE_SYMLINK, name)
	if err != nil {
		return fs.Entry{}, err
	}
	defer n.fs.done(r)
	r.name(name)
	r.name(target)
	return n.create(r, name)
}

// Link implements fs.Node.
func (n *node) Link(name string, target fs.Node) (fs.Entry, error) {
	t, ok := target.(*node)
	if !ok || t.fs != n.fs {
		return fs.Entry{}, syscall.EXDEV
	}
	if err := t.usable(); err != nil {
		return fs.Entry{}, err
	}
	r, err := n.start(fuse.FUSE_LINK, name)
	if err != nil {
		return fs.Entry{}, err
	}
	defer n.fs.done(r)
	in := fuse.LinkIn{Oldnodeid: t.id}
	r.buf = in.AppendTo(r.buf)
	r.name(name)
	e, err := n.create(r, name)
	if err != nil {
		t.changedHere(dirtyAll)
	}
	return e, err
}

// Unlink implements fs.Node.
func (n *node) Unlink(name string) error { return n.remove(fuse.FUSE_UNLINK, name) }

// Rmdir implements fs.Node.
func (n *node) Rmdir(name string) error { return n.remove(fuse.FUSE_RMDIR, name) }

func (n *node) remove(op uint32, name string) error {
	r, err := n.start(op, name)
	if err != nil {
		return err
	}
	defer n.fs.done(r)
	r.name(name)
	_, err = n.fs.call(r, 0)
	n.renamed()
	return err
}

// Rename implements fs.Node. Flags need RENAME2, which old servers lack:
// EINVAL, as for flags that the server's own file system lacks.
func (n *node) Rename(name string, newDir fs.Node, newName string, flags uint32) error {
	to, ok := newDir.(*node)
	if !ok || to.fs != n.fs {
		return syscall.EXDEV
	}
	if err := to.usable(); err != nil {
		return err
	}
	if err := checkName(newName); err != nil {
		return err
	}
	f := n.fs
	op := uint32(fuse.FUSE_RENAME)
	if flags != 0 {
		op = fuse.FUSE_RENAME2
		if f.session.minor < 23 || f.nosys[op].Load() {
			return syscall.EINVAL
		}
	}
	r, err := n.start(op, name)
	if err != nil {
		return err
	}
	defer f.done(r)
	if flags != 0 {
		in := fuse.Rename2In{Newdir: to.id, Flags: flags}
		r.buf = in.AppendTo(r.buf)
	} else {
		in := fuse.RenameIn{Newdir: to.id}
		r.buf = in.AppendTo(r.buf)
	}
	r.name(name)
	r.name(newName)
	_, err = f.call(r, 0)
	n.renamed()
	to.renamed()
	if err == syscall.ENOSYS && flags != 0 {
		f.nosys[op].Store(true)
		return syscall.EINVAL
	}
	return err
}
