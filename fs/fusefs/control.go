package fusefs

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

var (
	_ fs.BmapNode   = (*node)(nil)
	_ fs.IoctlFile  = (*file)(nil)
	_ fs.IoctlFile  = (*dirFile)(nil)
	_ fs.NotifyFile = (*file)(nil)
)

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
	h.wrote.Store(true) // for all that is known here
	msg := fuse.IoctlIn{
		Fh: h.fh, Flags: flags, Cmd: cmd, Arg: arg, InSize: uint32(len(in)), OutSize: uint32(len(out)),
	}
	r := f.request(fuse.FUSE_IOCTL, h.node.id)
	defer f.done(r)
	r.buf = msg.AppendTo(r.buf)
	c := h.node.beginAll() // some share or exchange the bytes of files
	size, err := f.exchange(r, in, out, fuse.IoctlOutSize, fuse.IoctlOutSize)
	c.done(dirtyAll)
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

// Watch implements fs.NotifyFile: a file whose server was found to have no POLL
// stays as it is. Others cannot tell.
func (h *file) Watch(*fs.Waiter) bool { return h.node.fs.nosys[fuse.FUSE_POLL].Load() }

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
