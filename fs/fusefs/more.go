package fusefs

import (
	"math"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

var (
	_ fs.AccessNode      = (*node)(nil)
	_ fs.TmpfileNode     = (*node)(nil)
	_ fs.StatxNode       = (*node)(nil)
	_ fs.StatxNode       = (*file)(nil)
	_ fs.StatfsNode      = (*node)(nil)
	_ fs.BmapNode        = (*node)(nil)
	_ fs.AttrInvalidator = (*node)(nil)
	_ fs.Kinder          = (*node)(nil)
	_ fs.IoctlFile       = (*file)(nil)
	_ fs.PollFile        = (*file)(nil)
)

// Kind implements fs.Kinder.
func (n *node) Kind() uint32 { return n.typ }

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

// Statx implements fs.StatxNode.
func (n *node) Statx(s *fs.Statx, mask uint32) error { return n.statx(s, mask, nil) }

// Statx implements fs.StatxNode.
func (h *file) Statx(s *fs.Statx, mask uint32) error { return h.node.statx(s, mask, h.handle) }

// basicStats is STATX_BASIC_STATS: what Attr holds.
const basicStats = 0x7ff

func (n *node) statx(s *fs.Statx, mask uint32, h *handle) error {
	f := n.fs
	if f.lacks(fuse.FUSE_STATX, 39) || mask&^basicStats == 0 {
		*s = fs.Statx{Mask: basicStats}
		return n.getattr(&s.Attr, h)
	}
	if err := n.usable(); err != nil {
		return err
	}
	in := fuse.StatxIn{SxMask: mask}
	if h != nil && h.open {
		in.GetattrFlags, in.Fh = fuse.FUSE_GETATTR_FH, h.fh
	}
	r := f.request(fuse.FUSE_STATX, n.id)
	defer f.done(r)
	r.buf = in.AppendTo(r.buf)
	m := f.mark()
	body, err := f.call(r, fuse.StatxOutSize)
	if err == syscall.ENOSYS {
		f.nosys[fuse.FUSE_STATX].Store(true)
		*s = fs.Statx{Mask: basicStats}
		return n.getattr(&s.Attr, h)
	}
	if err != nil {
		return err
	}
	var out fuse.StatxOut
	if out.Decode(body) != nil {
		return syscall.EIO
	}
	x := &out.Stat
	if x.Size > math.MaxInt64 {
		return f.badReply(r.op, "size", x.Size, "is beyond 2^63")
	}
	a := fuse.Attr{
		Ino: x.Ino, Size: x.Size, Blocks: x.Blocks, Blksize: x.Blksize,
		Mode: uint32(x.Mode), Nlink: x.Nlink, Uid: x.Uid, Gid: x.Gid,
		Rdev:  makedev(x.RdevMajor, x.RdevMinor),
		Atime: uint64(x.Atime.TvSec), Atimensec: x.Atime.TvNsec,
		Mtime: uint64(x.Mtime.TvSec), Mtimensec: x.Mtime.TvNsec,
		Ctime: uint64(x.Ctime.TvSec), Ctimensec: x.Ctime.TvNsec,
	}
	if x.Mask&basicStats == basicStats {
		if err := n.learn(&a, lifetime(out.AttrValid, out.AttrValidNsec), m); err != nil {
			return err
		}
	}
	*s = fs.Statx{
		Attr: attrOf(&a), Mask: x.Mask, Attributes: x.Attributes, AttributesMask: x.AttributesMask,
		Btime: timeOf(uint64(x.Btime.TvSec), x.Btime.TvNsec),
	}
	return nil
}

// makedev packs a device number as FUSE's rdev and Linux's stat(2) do.
func makedev(major, minor uint32) uint32 {
	return minor&0xff | major&0xfff<<8 | minor&^0xff<<12
}

// Bmap implements fs.BmapNode.
func (n *node) Bmap(block uint64, blocksize uint32) (uint64, error) {
	f := n.fs
	if err := n.usable(); err != nil {
		return 0, err
	}
	if f.nosys[fuse.FUSE_BMAP].Load() {
		return 0, syscall.EINVAL
	}
	in := fuse.BmapIn{Block: block, Blocksize: blocksize}
	r := f.request(fuse.FUSE_BMAP, n.id)
	defer f.done(r)
	r.buf = in.AppendTo(r.buf)
	body, err := f.call(r, fuse.BmapOutSize)
	if f.remember(r.op, err) == syscall.ENOSYS {
		return 0, syscall.EINVAL
	}
	if err != nil {
		return 0, err
	}
	var out fuse.BmapOut
	err = out.Decode(body)
	return out.Block, err
}

// Ioctl implements fs.IoctlFile. Only commands whose data have the size that
// the command itself names are possible, not the unrestricted ones of CUSE.
func (h *file) Ioctl(cmd uint32, arg uint64, in, out []byte) (result int32, n int, err error) {
	return h.ioctl(cmd, arg, in, out, 0)
}

// Ioctl implements fs.IoctlFile.
func (d *dirFile) Ioctl(cmd uint32, arg uint64, in, out []byte) (result int32, n int, err error) {
	if !d.node.fs.session.has(fuse.FUSE_HAS_IOCTL_DIR) {
		return 0, 0, syscall.ENOTTY
	}
	return d.ioctl(cmd, arg, in, out, fuse.FUSE_IOCTL_DIR)
}

func (h *handle) ioctl(cmd uint32, arg uint64, in, out []byte, flags uint32) (int32, int, error) {
	f := h.node.fs
	if err := h.node.usable(); err != nil {
		return 0, 0, err
	}
	if f.nosys[fuse.FUSE_IOCTL].Load() {
		return 0, 0, syscall.ENOTTY
	}
	if max(len(in), len(out)) > f.session.maxRead {
		return 0, 0, syscall.ENOMEM
	}
	msg := fuse.IoctlIn{
		Fh: h.fh, Flags: flags, Cmd: cmd, Arg: arg, InSize: uint32(len(in)), OutSize: uint32(len(out)),
	}
	r := f.request(fuse.FUSE_IOCTL, h.node.id)
	defer f.done(r)
	r.buf = msg.AppendTo(r.buf)
	size, err := f.exchange(r, in, out, fuse.IoctlOutSize, fuse.IoctlOutSize)
	if f.remember(r.op, err) == syscall.ENOSYS {
		return 0, 0, syscall.ENOTTY
	}
	if err != nil {
		return 0, 0, err
	}
	var reply fuse.IoctlOut
	if reply.Decode(r.outStore[fuse.OutHeaderSize:]) != nil {
		return 0, 0, syscall.EIO
	}
	if reply.Flags&fuse.FUSE_IOCTL_RETRY != 0 {
		return 0, 0, f.badReply(r.op, "flags", uint64(reply.Flags), "ask for a retry, which this ioctl has not")
	}
	return reply.Result, size - fuse.IoctlOutSize, nil
}

// Events of Poll that hold for a file whose server has no POLL: as Linux's
// DEFAULT_POLLMASK, always ready.
const alwaysReady = 0x145 // POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM

// Poll implements fs.PollFile. The server is not asked to report changes,
// since there is no way for its notifications to get here.
func (h *file) Poll(events uint32) (uint32, error) {
	f := h.node.fs
	if f.nosys[fuse.FUSE_POLL].Load() {
		return events & alwaysReady, nil
	}
	if err := h.node.usable(); err != nil {
		return 0, err
	}
	in := fuse.PollIn{Fh: h.fh, Events: events}
	r := f.request(fuse.FUSE_POLL, h.node.id)
	defer f.done(r)
	r.buf = in.AppendTo(r.buf)
	body, err := f.call(r, fuse.PollOutSize)
	if f.remember(r.op, err) == syscall.ENOSYS {
		return events & alwaysReady, nil
	}
	if err != nil {
		return 0, err
	}
	var out fuse.PollOut
	err = out.Decode(body)
	return out.Revents, err
}
