package fusefs

import (
	"math"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

var (
	_ fs.StatxNode = (*node)(nil)
	_ fs.StatxNode = (*file)(nil)
)

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
	if h != nil && h.open && !h.dir {
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
