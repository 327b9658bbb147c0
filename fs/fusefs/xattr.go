package fusefs

import (
	"strings"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

var _ fs.XattrNode = (*node)(nil)

// xattrStart checks a request about extended attributes and starts it. A
// server that has answered with ENOSYS once is not asked again.
func (n *node) xattrStart(op uint32, name string) (*request, error) {
	if err := n.usable(); err != nil {
		return nil, err
	}
	if n.fs.nosys[op].Load() {
		return nil, syscall.EOPNOTSUPP
	}
	if op != fuse.FUSE_LISTXATTR && name == "" || len(name) > fs.NameMax {
		return nil, syscall.ERANGE
	}
	if strings.IndexByte(name, 0) >= 0 {
		return nil, syscall.EINVAL
	}
	return n.fs.request(op, n.id), nil
}

// permanently makes EOPNOTSUPP of ENOSYS, for now and from now on.
func (f *FS) permanently(op uint32, err error) error {
	if f.remember(op, err) == syscall.ENOSYS {
		return syscall.EOPNOTSUPP
	}
	return err
}

// Getxattr implements fs.XattrNode.
func (n *node) Getxattr(name string, dst []byte) (int, error) {
	return n.readXattr(fuse.FUSE_GETXATTR, name, dst)
}

// Listxattr implements fs.XattrNode.
func (n *node) Listxattr(dst []byte) (int, error) {
	return n.readXattr(fuse.FUSE_LISTXATTR, "", dst)
}

func (n *node) readXattr(op uint32, name string, dst []byte) (int, error) {
	f := n.fs
	r, err := n.xattrStart(op, name)
	if err != nil {
		return 0, err
	}
	defer f.done(r)
	dst = dst[:min(len(dst), fs.XattrMax)]
	in := fuse.GetxattrIn{Size: uint32(len(dst))}
	r.buf = in.AppendTo(r.buf)
	if op == fuse.FUSE_GETXATTR {
		r.name(name)
	}
	if len(dst) > 0 {
		size, err := f.exchange(r, nil, dst, 0, 0)
		return size, f.permanently(op, err)
	}
	body, err := f.call(r, fuse.GetxattrOutSize)
	if err != nil {
		return 0, f.permanently(op, err)
	}
	var out fuse.GetxattrOut
	if out.Decode(body) != nil {
		return 0, syscall.EIO
	}
	if out.Size > fs.XattrMax {
		return 0, f.badReply(op, "size", uint64(out.Size), "is above 64 KiB")
	}
	return int(out.Size), nil
}

// Setxattr implements fs.XattrNode.
func (n *node) Setxattr(name string, value []byte, flags int) error {
	if len(value) > fs.XattrMax {
		return syscall.E2BIG
	}
	f := n.fs
	r, err := n.xattrStart(fuse.FUSE_SETXATTR, name)
	if err != nil {
		return err
	}
	defer f.done(r)
	in := fuse.SetxattrIn{Size: uint32(len(value)), Flags: uint32(flags)}
	start := len(r.buf)
	r.buf = in.AppendTo(r.buf)
	if !f.session.has(fuse.FUSE_SETXATTR_EXT) {
		r.buf = r.buf[:start+fuse.FUSE_COMPAT_SETXATTR_IN_SIZE]
	}
	r.name(name)
	o := n.ourChange()
	_, err = f.exchange(r, value, nil, 0, 0)
	o.end(f)
	n.changedHere(dirtyAll) // ctime, and the mode with an ACL
	return f.permanently(r.op, err)
}

// Removexattr implements fs.XattrNode.
func (n *node) Removexattr(name string) error {
	f := n.fs
	r, err := n.xattrStart(fuse.FUSE_REMOVEXATTR, name)
	if err != nil {
		return err
	}
	defer f.done(r)
	r.name(name)
	o := n.ourChange()
	_, err = f.call(r, 0)
	o.end(f)
	n.changedHere(dirtyAll)
	return f.permanently(r.op, err)
}
