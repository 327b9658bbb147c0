package fusefs

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

var _ fs.AccessNode = (*node)(nil)

// Getattr implements fs.Node. It asks the server only when the lifetime of
// what it told before is over.
func (n *node) Getattr(a *fs.Attr) error { return n.getattr(a, nil) }

// getattr is Getattr by way of the open handle h, if that is not nil.
func (n *node) getattr(a *fs.Attr, h *handle) error {
	if err := n.usable(); err != nil {
		return err
	}
	if n.cached(a) {
		return nil
	}
	return n.fetchAttr(a, h)
}

// fetchAttr asks the server for the attributes.
func (n *node) fetchAttr(a *fs.Attr, h *handle) error {
	f := n.fs
	var in fuse.GetattrIn
	if h != nil && h.open && !h.dir {
		in.GetattrFlags, in.Fh = fuse.FUSE_GETATTR_FH, h.fh
	}
	r := f.request(fuse.FUSE_GETATTR, n.id)
	defer f.done(r)
	r.buf = in.AppendTo(r.buf)
	m := f.mark()
	body, err := f.call(r, fuse.AttrOutSize)
	if err != nil {
		return err
	}
	var out fuse.AttrOut
	if out.Decode(body) != nil {
		return syscall.EIO
	}
	if err := n.learn(&out.Attr, lifetime(out.AttrValid, out.AttrValidNsec), m); err != nil {
		return err
	}
	*a = attrOf(&out.Attr)
	return nil
}

// Readlink implements fs.Node. With FUSE_CACHE_SYMLINKS the target is asked
// for once: a link never changes, a new one is another node.
func (n *node) Readlink() (string, error) {
	if err := n.usable(); err != nil {
		return "", err
	}
	if n.typ != syscall.S_IFLNK {
		return "", syscall.EINVAL
	}
	n.mu.Lock()
	target, known := n.link, n.linked
	n.mu.Unlock()
	if known {
		return target, nil
	}
	f := n.fs
	r := f.request(fuse.FUSE_READLINK, n.id)
	defer f.done(r)
	buf := make([]byte, fs.PathMax)
	size, err := f.exchange(r, nil, buf, 0, 0)
	if err != nil {
		return "", err
	}
	b := buf[:size]
	for _, c := range b {
		if c == 0 {
			return "", f.badName(r.op, "target", b, "holds NUL")
		}
	}
	if size == 0 || size == fs.PathMax {
		return "", f.badReply(r.op, "target length", uint64(size), "is not between 1 and 4095")
	}
	target = string(b)
	n.changedHere(f.atimeDirt())
	if f.session.has(fuse.FUSE_CACHE_SYMLINKS) {
		n.mu.Lock()
		n.link, n.linked = target, true
		n.mu.Unlock()
	}
	return target, nil
}

// atimeDirt is what a read makes untrustworthy.
func (f *FS) atimeDirt() uint8 {
	if f.opts.NoAtime {
		return 0
	}
	return dirtyAtime
}

// fattr pairs the fs.Set constants with the FATTR constants that say the same.
var fattr = [...]struct{ set, fattr uint32 }{
	{fs.SetMode, fuse.FATTR_MODE},
	{fs.SetUid, fuse.FATTR_UID},
	{fs.SetGid, fuse.FATTR_GID},
	{fs.SetSize, fuse.FATTR_SIZE},
	{fs.SetAtime, fuse.FATTR_ATIME},
	{fs.SetMtime, fuse.FATTR_MTIME},
	{fs.SetAtimeNow, fuse.FATTR_ATIME | fuse.FATTR_ATIME_NOW},
	{fs.SetMtimeNow, fuse.FATTR_MTIME | fuse.FATTR_MTIME_NOW},
}

// Setattr implements fs.Node.
func (n *node) Setattr(s *fs.SetAttr, a *fs.Attr) error { return n.setattr(s, a, nil) }

// setattr is Setattr by way of the open handle h, if that is not nil.
func (n *node) setattr(s *fs.SetAttr, a *fs.Attr, h *handle) error {
	if err := n.usable(); err != nil {
		return err
	}
	if s.Valid&fs.SetSize != 0 && s.Size < 0 ||
		s.Valid&fs.SetAtime != 0 && s.Atime.Nsec >= 1e9 ||
		s.Valid&fs.SetMtime != 0 && s.Mtime.Nsec >= 1e9 {
		return syscall.EINVAL
	}
	var in fuse.SetattrIn
	for _, x := range fattr {
		if s.Valid&x.set != 0 {
			in.Valid |= x.fattr
		}
	}
	if s.Valid&fs.SetMode != 0 {
		in.Mode = n.typ | s.Mode&0o7777
	}
	if s.Valid&fs.SetUid != 0 {
		in.Uid = s.Uid
	}
	if s.Valid&fs.SetGid != 0 {
		in.Gid = s.Gid
	}
	if s.Valid&fs.SetSize != 0 {
		in.Size = uint64(s.Size)
		n.io.Lock() // not in the middle of a write of several messages
		defer n.io.Unlock()
		c := n.beginAll()
		defer c.done(0) // the reply tells the attributes
	}
	if s.Valid&fs.SetAtime != 0 {
		in.Atime, in.Atimensec = n.fs.grain(s.Atime)
	}
	if s.Valid&fs.SetMtime != 0 {
		in.Mtime, in.Mtimensec = n.fs.grain(s.Mtime)
	}
	if h != nil && h.open && !h.dir {
		h.wrote.Store(true)
		in.Valid |= fuse.FATTR_FH
		in.Fh = h.fh
	}
	if err := n.setattrPriv(&in); err != nil {
		return err
	}
	return n.sendSetattr(&in, a)
}

// grain cuts a time to the granularity that the server keeps.
func (f *FS) grain(t fs.Time) (sec uint64, nsec uint32) {
	return uint64(t.Sec), t.Nsec - t.Nsec%f.session.timeGran
}

// sendSetattr sends SETATTR and keeps what it answers.
func (n *node) sendSetattr(in *fuse.SetattrIn, a *fs.Attr) error {
	f := n.fs
	r := f.request(fuse.FUSE_SETATTR, n.id)
	defer f.done(r)
	r.buf = in.AppendTo(r.buf)
	m := f.mark()
	o := n.ourChange()
	body, err := f.call(r, fuse.AttrOutSize)
	o.end(f)
	if err != nil {
		n.changedHere(dirtyAll) // it may have done a part
		return err
	}
	var out fuse.AttrOut
	if out.Decode(body) != nil {
		return syscall.EIO
	}
	if err := n.learnChange(&out.Attr, lifetime(out.AttrValid, out.AttrValidNsec), m); err != nil {
		return err
	}
	*a = attrOf(&out.Attr)
	return nil
}

// Access implements fs.AccessNode. A server without ACCESS allows all.
func (n *node) Access(mask uint32) error {
	f := n.fs
	if err := n.usable(); err != nil {
		return err
	}
	if f.nosys[fuse.FUSE_ACCESS].Load() {
		return nil
	}
	in := fuse.AccessIn{Mask: mask & 7}
	r := f.request(fuse.FUSE_ACCESS, n.id)
	r.buf = in.AppendTo(r.buf)
	_, err := f.call(r, 0)
	f.done(r)
	return f.optional(fuse.FUSE_ACCESS, err)
}
