package fusefs

import (
	"math"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// file is an open regular file.
type file struct{ *handle }

var _ fs.File = (*file)(nil)

// ReadAt implements fs.File. The server writes straight into p; what does not
// fit into one request is read with several.
func (h *file) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, syscall.EINVAL
	}
	if err := h.node.usable(); err != nil {
		return 0, err
	}
	p = p[:min(int64(len(p)), math.MaxInt64-off)]
	if len(p) == 0 {
		return 0, nil
	}
	if h.openFlags&fuse.FOPEN_DIRECT_IO == 0 {
		keep := len(p) < directRead && h.keepsData()
		if size, ok := h.freshSize(keep); ok {
			if off >= size {
				return 0, nil
			}
			p = p[:min(int64(len(p)), size-off)]
			if keep && h.node.keepsLong() {
				return h.readKept(p, off, size)
			}
		}
	}
	total, err := h.readAll(p, off)
	h.node.wasRead(total)
	return total, err
}

// readAll reads into p with as many messages as it takes, several at once where
// the server and the transport take them.
func (h *handle) readAll(p []byte, off int64) (total int, err error) {
	f := h.node.fs
	size := f.session.maxRead
	if len(p) > size && f.starter != nil && f.session.has(h.asyncFlag()) {
		// Behind what was the end of the file there may be nothing to read.
		known, _ := h.node.size()
		t := train{h: h, op: fuse.FUSE_READ}
		return t.run(p, off, size, int(min(max(known-off, 0), int64(len(p)))))
	}
	for total < len(p) {
		part := p[total:min(total+size, len(p))]
		n, err := h.read(part, off+int64(total), nil)
		if err != nil && total == 0 {
			return 0, err
		}
		total += n
		if n < len(part) {
			break // the end of the file, or as much as direct I/O gives
		}
	}
	return total, nil
}

// asyncFlag is the INIT flag by which the server takes several reads of one
// handle at once.
func (h *handle) asyncFlag() uint64 {
	if h.openFlags&fuse.FOPEN_DIRECT_IO != 0 {
		return fuse.FUSE_ASYNC_DIO
	}
	return fuse.FUSE_ASYNC_READ
}

func (h *handle) readIn(p []byte, off int64) fuse.ReadIn {
	return fuse.ReadIn{Fh: h.fh, Offset: uint64(off), Size: uint32(len(p)), Flags: h.flags}
}

// read sends one READ for len(p) bytes, with INTERRUPT once end is closed.
func (h *handle) read(p []byte, off int64, end <-chan struct{}) (int, error) {
	f := h.node.fs
	in := h.readIn(p, off)
	r := f.request(fuse.FUSE_READ, h.node.id)
	r.buf = in.AppendTo(r.buf)
	r.cancel = end
	n, err := f.exchange(r, nil, p, 0, 0)
	f.done(r)
	return n, err
}

// WriteAt implements fs.File. The server reads straight from p. Writes to one
// file do not mix: one that takes several messages keeps others out, and so
// do appends, and all writes of a direct-I/O file whose server did not allow
// parallel ones.
func (h *file) WriteAt(p []byte, off int64) (n int, end int64, err error) {
	nd := h.node
	f := nd.fs
	if err := nd.usable(); err != nil {
		return 0, off, err
	}
	flags, err := nd.writePriv()
	if err != nil {
		return 0, off, err
	}
	appending := h.flags&syscall.O_APPEND != 0
	const direct = fuse.FOPEN_DIRECT_IO
	alone := appending || len(p) > f.session.maxWrite ||
		h.openFlags&(direct|fuse.FOPEN_PARALLEL_DIRECT_WRITES) == direct
	if alone {
		nd.io.Lock()
		defer nd.io.Unlock()
	} else {
		nd.io.RLock()
		defer nd.io.RUnlock()
	}
	if appending {
		off = h.appendHint()
	}
	if off < 0 {
		return 0, off, syscall.EINVAL
	}
	if int64(len(p)) > math.MaxInt64-off {
		return 0, off, syscall.EFBIG
	}
	h.wrote.Store(true)
	length := int64(len(p))
	if appending {
		length = -1 // the file may end further behind by now
	}
	c := nd.begin(off, length)
	n, err = h.writeAll(p, off, flags, nil)
	c.wrote(p, off, n, appending)
	return n, off + int64(n), err
}

// writeAll writes p in as many messages as it takes. An error behind the first
// bytes is left for the next call to find.
func (h *handle) writeAll(p []byte, off int64, flags uint32, end <-chan struct{}) (total int, err error) {
	f := h.node.fs
	size := f.session.maxWrite
	if len(p) > size && f.starter != nil && end == nil && h.fills(off, int64(len(p))) {
		t := train{h: h, op: fuse.FUSE_WRITE, flags: flags}
		if total, err = t.run(p, off, size, len(p)); err != nil && err != syscall.ENOSPC && err != syscall.EDQUOT {
			return 0, err
		}
	}
	for total < len(p) {
		part := p[total:min(total+size, len(p))]
		n, err := h.write(part, off+int64(total), flags, end)
		total += n
		if err != nil {
			if total > 0 {
				err = nil
			}
			return total, err
		}
		if n < len(part) && h.openFlags&fuse.FOPEN_DIRECT_IO != 0 {
			break
		}
	}
	return total, nil
}

// fills reports whether a write replaces bytes that are there, so that its
// parts may be written in any order: were some to fail, no hole is left before
// the others.
func (h *handle) fills(off, length int64) bool {
	if h.flags&syscall.O_APPEND != 0 || h.openFlags&fuse.FOPEN_DIRECT_IO != 0 {
		return false
	}
	size, fresh := h.node.size()
	return fresh && length <= size-off
}

// write sends one WRITE, with INTERRUPT once end is closed.
func (h *handle) write(p []byte, off int64, flags uint32, end <-chan struct{}) (int, error) {
	f := h.node.fs
	in := h.writeIn(p, off, flags)
	r := f.request(fuse.FUSE_WRITE, h.node.id)
	defer f.done(r)
	r.buf = in.AppendTo(r.buf)
	r.cancel = end
	n, err := f.exchange(r, p, nil, fuse.WriteOutSize, fuse.WriteOutSize)
	if err != nil {
		return 0, err
	}
	return h.written(r, n, len(p))
}

func (h *handle) writeIn(p []byte, off int64, flags uint32) fuse.WriteIn {
	return fuse.WriteIn{
		Fh: h.fh, Offset: uint64(off), Size: uint32(len(p)), WriteFlags: flags, Flags: h.flags,
	}
}

// written checks the answer, of n bytes, to a WRITE of sent bytes, and returns
// how many were written.
func (h *handle) written(r *request, n, sent int) (int, error) {
	f := h.node.fs
	var out fuse.WriteOut
	if out.Decode(r.outStore[fuse.OutHeaderSize:][:n]) != nil {
		return 0, syscall.EIO
	}
	if uint64(out.Size) > uint64(sent) {
		return 0, f.badReply(r.op, "size", uint64(out.Size), "is more than was sent")
	}
	if out.Size == 0 {
		return 0, f.badReply(r.op, "size", 0, "is no progress")
	}
	return int(out.Size), nil
}

// ReadDir implements fs.File.
func (h *file) ReadDir(cookie uint64, emit func(*fs.Dirent) bool) error { return syscall.ENOTDIR }

// Fsync implements fs.File.
func (h *file) Fsync(dataOnly bool) error { return h.fsync(fuse.FUSE_FSYNC, dataOnly) }

// fsync sends FSYNC or FSYNCDIR. A server without it needs none.
func (h *handle) fsync(op uint32, dataOnly bool) error {
	f := h.node.fs
	if f.nosys[op].Load() {
		return nil
	}
	in := fuse.FsyncIn{Fh: h.fh}
	if dataOnly {
		in.FsyncFlags = fuse.FUSE_FSYNC_FDATASYNC
	}
	r := f.request(op, h.node.id)
	r.buf = in.AppendTo(r.buf)
	_, err := f.call(r, 0)
	f.done(r)
	return f.optional(op, err)
}

// optional remembers ENOSYS of an operation that not every server has, and
// makes a success of it.
func (f *FS) optional(op uint32, err error) error {
	if err == syscall.ENOSYS {
		f.nosys[op].Store(true)
		return nil
	}
	return err
}

// Flush implements fs.File. The server also drops the POSIX locks of this
// machine on the file, whichever handle they were taken by. Where there are
// none and nothing was written by this handle, it has nothing to do.
func (h *file) Flush() error {
	f := h.node.fs
	if h.openFlags&fuse.FOPEN_NOFLUSH != 0 || f.nosys[fuse.FUSE_FLUSH].Load() {
		return nil
	}
	if !h.wrote.Load() && !h.node.locked.Load() {
		return nil
	}
	in := fuse.FlushIn{Fh: h.fh, LockOwner: fs.ProcessOwner}
	r := f.request(fuse.FUSE_FLUSH, h.node.id)
	r.buf = in.AppendTo(r.buf)
	_, err := f.call(r, 0)
	f.done(r)
	return f.optional(fuse.FUSE_FLUSH, err)
}
