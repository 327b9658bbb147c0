package fusefs

import (
	"math"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

var (
	_ fs.FallocateFile = (*file)(nil)
	_ fs.SeekHoleFile  = (*file)(nil)
	_ fs.CopyFile      = (*file)(nil)
)

// lacks reports whether op came after the server's protocol version, minor,
// or was answered with ENOSYS before.
func (f *FS) lacks(op, minor uint32) bool {
	return f.session.minor < minor || f.nosys[op].Load()
}

// Fallocate implements fs.FallocateFile.
func (h *file) Fallocate(mode uint32, off, length int64) error {
	n := h.node
	f := n.fs
	if off < 0 || length <= 0 {
		return syscall.EINVAL
	}
	if off > math.MaxInt64-length {
		return syscall.EFBIG
	}
	if err := n.usable(); err != nil {
		return err
	}
	if f.lacks(fuse.FUSE_FALLOCATE, 19) {
		return syscall.EOPNOTSUPP
	}
	n.io.Lock()
	defer n.io.Unlock()
	h.wrote.Store(true)
	c := n.beginAll() // some modes move bytes
	in := fuse.FallocateIn{Fh: h.fh, Offset: uint64(off), Length: uint64(length), Mode: mode}
	r := f.request(fuse.FUSE_FALLOCATE, n.id)
	r.buf = in.AppendTo(r.buf)
	_, err := f.call(r, 0)
	f.done(r)
	c.done(dirtyAll)
	return f.permanently(fuse.FUSE_FALLOCATE, err)
}

// SeekHole implements fs.SeekHoleFile. A server without LSEEK has only data.
func (h *file) SeekHole(off int64, whence int) (int64, error) {
	n := h.node
	f := n.fs
	if whence != fs.SeekData && whence != fs.SeekHole {
		return 0, syscall.EINVAL
	}
	if err := n.usable(); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, syscall.ENXIO
	}
	if f.lacks(fuse.FUSE_LSEEK, 24) {
		return h.seekAllData(off, whence)
	}
	in := fuse.LseekIn{Fh: h.fh, Offset: uint64(off), Whence: uint32(whence)}
	r := f.request(fuse.FUSE_LSEEK, n.id)
	defer f.done(r)
	r.buf = in.AppendTo(r.buf)
	body, err := f.call(r, fuse.LseekOutSize)
	if err == syscall.ENOSYS {
		f.nosys[fuse.FUSE_LSEEK].Store(true)
		return h.seekAllData(off, whence)
	}
	if err != nil {
		return 0, err
	}
	var out fuse.LseekOut
	if out.Decode(body) != nil {
		return 0, syscall.EIO
	}
	if out.Offset > math.MaxInt64 || int64(out.Offset) < off {
		return 0, f.badReply(r.op, "offset", out.Offset, "is before the offset asked for or beyond 2^63")
	}
	return int64(out.Offset), nil
}

// seekAllData is SeekHole of a file without holes.
func (h *file) seekAllData(off int64, whence int) (int64, error) {
	var a fs.Attr
	if err := h.Getattr(&a); err != nil {
		return 0, err
	}
	if off >= a.Size {
		return 0, syscall.ENXIO
	}
	if whence == fs.SeekHole {
		return a.Size, nil
	}
	return off, nil
}

// maxCopy is how much one COPY_FILE_RANGE asks for: its answer has 32 bits.
const maxCopy = math.MaxUint32 &^ (pageSize - 1)

// CopyTo implements fs.CopyFile.
func (h *file) CopyTo(off int64, dst fs.File, dstOff, length int64) (int64, error) {
	n := h.node
	f := n.fs
	to, ok := dst.(*file)
	if !ok || to.node.fs != f {
		return 0, syscall.EXDEV
	}
	if off < 0 || dstOff < 0 || length < 0 || off > math.MaxInt64-length || dstOff > math.MaxInt64-length {
		return 0, syscall.EINVAL
	}
	if err := n.usable(); err != nil {
		return 0, err
	}
	if err := to.node.usable(); err != nil {
		return 0, err
	}
	if f.lacks(fuse.FUSE_COPY_FILE_RANGE, 28) {
		return 0, syscall.EOPNOTSUPP
	}
	to.node.io.Lock()
	defer to.node.io.Unlock()
	to.wrote.Store(true)
	c := to.node.begin(dstOff, length)
	in := fuse.CopyFileRangeIn{
		FhIn: h.fh, OffIn: uint64(off), NodeidOut: to.node.id, FhOut: to.fh,
		OffOut: uint64(dstOff), Len: uint64(min(length, maxCopy)),
	}
	r := f.request(fuse.FUSE_COPY_FILE_RANGE, n.id)
	defer f.done(r)
	r.buf = in.AppendTo(r.buf)
	body, err := f.call(r, fuse.WriteOutSize)
	c.done(dirtyAll)
	if err != nil {
		return 0, f.permanently(r.op, err)
	}
	var out fuse.WriteOut
	if out.Decode(body) != nil {
		return 0, syscall.EIO
	}
	if uint64(out.Size) > in.Len {
		return 0, f.badReply(r.op, "size", uint64(out.Size), "is more than was asked for")
	}
	if a := f.atimeDirt(); a != 0 {
		n.changedHere(a)
	}
	return int64(out.Size), nil
}
