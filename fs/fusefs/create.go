package fusefs

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

var _ fs.TmpfileNode = (*node)(nil)

// Create implements fs.Node. A server without CREATE gets MKNOD and OPEN.
func (n *node) Create(name string, flags int, mode, umask uint32) (fs.Entry, fs.File, error) {
	f := n.fs
	if f.nosys[fuse.FUSE_CREATE].Load() {
		return n.mknodOpen(name, flags, mode, umask)
	}
	r, err := n.start(fuse.FUSE_CREATE, name)
	if err != nil {
		return fs.Entry{}, nil, err
	}
	e, file, err := n.createWith(r, name, flags|syscall.O_CREAT, mode, umask)
	f.done(r)
	if err == syscall.ENOSYS {
		f.nosys[fuse.FUSE_CREATE].Store(true)
		return n.mknodOpen(name, flags, mode, umask)
	}
	return e, file, err
}

// createWith sends r, a CREATE or TMPFILE, and opens what it made.
func (n *node) createWith(r *request, name string, flags int, mode, umask uint32) (fs.Entry, fs.File, error) {
	f := n.fs
	in := fuse.CreateIn{Mode: f.mask(syscall.S_IFREG|mode&0o7777, umask), Umask: umask}
	in.Flags = uint32(flags &^ (syscall.O_NOCTTY | syscall.O_CLOEXEC))
	if f.session.has(fuse.FUSE_ATOMIC_O_TRUNC) {
		in.OpenFlags = f.openPriv(flags)
	} else {
		in.Flags &^= syscall.O_TRUNC
	}
	r.buf = in.AppendTo(r.buf)
	r.name(name)
	m := f.mark()
	body, err := f.call(r, fuse.EntryOutSize+fuse.OpenOutSize)
	n.renamed()
	if err != nil {
		return fs.Entry{}, nil, err
	}
	var e fuse.EntryOut
	var open fuse.OpenOut
	if e.Decode(body) != nil || open.Decode(body[fuse.EntryOutSize:]) != nil {
		return fs.Entry{}, nil, syscall.EIO
	}
	entry, err := n.entry(r.op, name, &e, m)
	if err != nil {
		f.releaseUnknown(e.Nodeid, &open, in.Flags)
		return fs.Entry{}, nil, err
	}
	nd := entry.Node.(*node)
	if flags&syscall.O_TRUNC != 0 && nd.refs.Load() > 1 {
		// It was there, and others may be changing it.
		c := nd.beginAll()
		c.done(dirtyAll)
	}
	nd.Ref() // for the handle
	h := newHandle(nd)
	h.flags = in.Flags &^ unsent
	h.opened(&open)
	if nd.typ != syscall.S_IFREG {
		h.Release()
		nd.Unref()
		if flags&syscall.O_EXCL == 0 {
			// Something else has got the name meanwhile: look again.
			return fs.Entry{}, nil, syscall.ESTALE
		}
		return fs.Entry{}, nil, f.badReply(r.op, "mode", uint64(e.Attr.Mode), "is not that of a regular file")
	}
	// Without O_EXCL the file may have been there, with something in it.
	if flags&syscall.O_TRUNC != 0 && !f.session.has(fuse.FUSE_ATOMIC_O_TRUNC) && e.Attr.Size != 0 {
		if err := h.truncated(); err != nil {
			h.Release()
			nd.Unref()
			return fs.Entry{}, nil, err
		}
	}
	h.openData()
	return entry, h.file(), nil
}

// releaseUnknown releases a handle whose node was not accepted.
func (f *FS) releaseUnknown(nodeid uint64, open *fuse.OpenOut, flags uint32) {
	in := fuse.ReleaseIn{Fh: open.Fh, Flags: flags &^ unsent}
	r := f.request(fuse.FUSE_RELEASE, nodeid)
	r.buf = in.AppendTo(r.buf)
	f.call(r, 0)
	f.done(r)
}

// mknodOpen is Create in two steps.
func (n *node) mknodOpen(name string, flags int, mode, umask uint32) (fs.Entry, fs.File, error) {
	e, err := n.Mknod(name, syscall.S_IFREG|mode&0o7777, umask, 0)
	if err == syscall.EEXIST && flags&syscall.O_EXCL == 0 {
		if e, err = n.Lookup(name); err == nil && e.Node == nil {
			err = syscall.ENOENT
		}
	}
	if err != nil {
		return fs.Entry{}, nil, err
	}
	file, err := e.Node.Open(flags)
	if err != nil {
		e.Node.Unref()
		return fs.Entry{}, nil, err
	}
	return e, file, nil
}

// Tmpfile implements fs.TmpfileNode.
func (n *node) Tmpfile(flags int, mode, umask uint32) (fs.Entry, fs.File, error) {
	f := n.fs
	if err := n.usable(); err != nil {
		return fs.Entry{}, nil, err
	}
	if f.lacks(fuse.FUSE_TMPFILE, 37) {
		return fs.Entry{}, nil, syscall.EOPNOTSUPP
	}
	r := f.request(fuse.FUSE_TMPFILE, n.id)
	defer f.done(r)
	// The name says nothing; Linux sends this one, and servers look for one.
	e, file, err := n.createWith(r, "/", flags, mode, umask)
	return e, file, f.permanently(r.op, err)
}
