package passthrough

import (
	"math"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// stat asks for what Attr holds, and what tells files apart.
func stat(fd int, st *unix.Statx_t) error {
	return unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_BASIC_STATS|unix.STATX_MNT_ID, st)
}

// valid is Options.Valid in seconds and nanoseconds.
func (s *Server) valid() (sec uint64, nsec uint32) {
	d := s.opts.Valid
	return uint64(d / time.Second), uint32(d % time.Second)
}

// attr fills a with the attributes of a node.
func (s *Server) attr(a *fuse.Attr, st *unix.Statx_t, n *node) {
	*a = fuse.Attr{
		Ino: st.Ino, Size: st.Size, Blocks: st.Blocks,
		Atime: uint64(st.Atime.Sec), Mtime: uint64(st.Mtime.Sec), Ctime: uint64(st.Ctime.Sec),
		Atimensec: st.Atime.Nsec, Mtimensec: st.Mtime.Nsec, Ctimensec: st.Ctime.Nsec,
		Mode: uint32(st.Mode), Nlink: st.Nlink, Uid: st.Uid, Gid: st.Gid,
		Rdev: rdev(st.Rdev_major, st.Rdev_minor), Blksize: st.Blksize,
	}
	if n.submount && s.flags.Load()&fuse.FUSE_SUBMOUNTS != 0 {
		a.Flags = fuse.FUSE_ATTR_SUBMOUNT
	}
}

// rdev packs a device number as the protocol does, Linux's new_encode_dev.
func rdev(major, minor uint32) uint32 { return minor&0xff | major<<8 | minor&^0xff<<12 }

func (s *Server) getattr(r *request) syscall.Errno {
	var in fuse.GetattrIn
	_ = in.Decode(r.body)
	n, e := s.node(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(n)
	return s.replyAttr(r, n)
}

// replyAttr answers with the attributes of a node. Those of an open file are
// no others.
func (s *Server) replyAttr(r *request, n *node) syscall.Errno {
	var st unix.Statx_t
	if err := stat(n.fd, &st); err != nil {
		return errno(err)
	}
	var out fuse.AttrOut
	out.AttrValid, out.AttrValidNsec = s.valid()
	s.attr(&out.Attr, &st, n)
	r.reply = out.AppendTo(r.reply)
	return 0
}

// statxSyncType is AT_STATX_SYNC_TYPE (linux/fcntl.h).
const statxSyncType = unix.AT_STATX_FORCE_SYNC | unix.AT_STATX_DONT_SYNC

func (s *Server) statx(r *request) syscall.Errno {
	var in fuse.StatxIn
	_ = in.Decode(r.body)
	n, e := s.node(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(n)
	var st unix.Statx_t
	flags := unix.AT_EMPTY_PATH | int(in.SxFlags)&statxSyncType
	if err := unix.Statx(n.fd, "", flags, int(in.SxMask&math.MaxInt32), &st); err != nil {
		return errno(err)
	}
	var out fuse.StatxOut
	out.AttrValid, out.AttrValidNsec = s.valid()
	out.Stat = fuse.Statx{
		Mask: st.Mask, Blksize: st.Blksize, Attributes: st.Attributes, AttributesMask: st.Attributes_mask,
		Nlink: st.Nlink, Uid: st.Uid, Gid: st.Gid, Mode: st.Mode, Ino: st.Ino, Size: st.Size, Blocks: st.Blocks,
		Atime: sxTime(st.Atime), Btime: sxTime(st.Btime), Ctime: sxTime(st.Ctime), Mtime: sxTime(st.Mtime),
		RdevMajor: st.Rdev_major, RdevMinor: st.Rdev_minor, DevMajor: st.Dev_major, DevMinor: st.Dev_minor,
	}
	r.reply = out.AppendTo(r.reply)
	return 0
}

func sxTime(t unix.StatxTimestamp) fuse.SxTime { return fuse.SxTime{TvSec: t.Sec, TvNsec: t.Nsec} }

func (s *Server) setattr(r *request) syscall.Errno {
	var in fuse.SetattrIn
	_ = in.Decode(r.body)
	n, e := s.node(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(n)
	var h *handle
	if in.Valid&fuse.FATTR_FH != 0 {
		if h, e = s.handle(r, in.Fh, n.typ == syscall.S_IFDIR); e != 0 {
			return e
		}
		defer s.putHandle(h)
	}
	// In this order a change of the owner may take set-id bits off again, as
	// one alone would.
	if in.Valid&fuse.FATTR_MODE != 0 {
		e = n.chmod(in.Mode & 0o7777)
	}
	if e == 0 && in.Valid&(fuse.FATTR_UID|fuse.FATTR_GID) != 0 {
		uid, gid := -1, -1
		if in.Valid&fuse.FATTR_UID != 0 {
			uid = int(in.Uid)
		}
		if in.Valid&fuse.FATTR_GID != 0 {
			gid = int(in.Gid)
		}
		e = errno(unix.Fchownat(n.fd, "", uid, gid, unix.AT_EMPTY_PATH))
	}
	if e == 0 && in.Valid&fuse.FATTR_SIZE != 0 {
		e = n.truncate(h, in.Size)
	}
	if e == 0 {
		e = n.utimes(&in)
	}
	if e != 0 {
		return e
	}
	return s.replyAttr(r, n)
}

func (n *node) chmod(mode uint32) syscall.Errno {
	if n.typ == syscall.S_IFLNK {
		return syscall.EOPNOTSUPP
	}
	return errno(unix.Fchmodat(unix.AT_FDCWD, procPath(n.fd), mode, 0))
}

// truncate cuts by the open file where there is one, so that the right to do
// so is that of the open.
func (n *node) truncate(h *handle, size uint64) syscall.Errno {
	switch {
	case size > math.MaxInt64:
		return syscall.EINVAL
	case n.typ == syscall.S_IFDIR:
		return syscall.EISDIR
	case n.typ != syscall.S_IFREG:
		return syscall.EINVAL
	case h != nil && h.writes():
		return errno(unix.Ftruncate(h.fd, int64(size)))
	}
	return errno(unix.Truncate(procPath(n.fd), int64(size)))
}

func (n *node) utimes(in *fuse.SetattrIn) syscall.Errno {
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Nsec: unix.UTIME_OMIT}}
	for i, t := range []struct {
		given, now uint32
		sec        uint64
		nsec       uint32
	}{
		{fuse.FATTR_ATIME, fuse.FATTR_ATIME_NOW, in.Atime, in.Atimensec},
		{fuse.FATTR_MTIME, fuse.FATTR_MTIME_NOW, in.Mtime, in.Mtimensec},
	} {
		switch {
		case in.Valid&t.now != 0:
			times[i].Nsec = unix.UTIME_NOW
		case in.Valid&t.given != 0 && t.nsec >= 1e9:
			return syscall.EINVAL
		case in.Valid&t.given != 0:
			times[i] = unix.Timespec{Sec: int64(t.sec), Nsec: int64(t.nsec)}
		}
	}
	if times[0].Nsec == unix.UTIME_OMIT && times[1].Nsec == unix.UTIME_OMIT {
		return 0
	}
	return errno(unix.UtimesNanoAt(unix.AT_FDCWD, procPath(n.fd), times, 0))
}

func (s *Server) statfs(r *request) syscall.Errno {
	n, e := s.node(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(n)
	var st unix.Statfs_t
	if err := unix.Fstatfs(n.fd, &st); err != nil {
		return errno(err)
	}
	out := fuse.StatfsOut{St: fuse.Kstatfs{
		Blocks: st.Blocks, Bfree: st.Bfree, Bavail: st.Bavail, Files: st.Files, Ffree: st.Ffree,
		Bsize: uint32(st.Bsize), Namelen: uint32(st.Namelen), Frsize: uint32(st.Frsize),
	}}
	r.reply = out.AppendTo(r.reply)
	return 0
}

func (s *Server) access(r *request) syscall.Errno {
	var in fuse.AccessIn
	_ = in.Decode(r.body)
	n, e := s.node(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(n)
	if in.Mask&^(unix.R_OK|unix.W_OK|unix.X_OK) != 0 {
		return syscall.EINVAL
	}
	return s.as(r, func() error { return unix.Faccessat(unix.AT_FDCWD, procPath(n.fd), in.Mask, unix.AT_EACCESS) })
}

// syncfs writes out all of the file system that a directory is on.
func (s *Server) syncfs(r *request) syscall.Errno {
	n, e := s.dir(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(n)
	fd, e := n.reopen(unix.O_RDONLY | unix.O_DIRECTORY)
	if e != 0 {
		return e
	}
	defer unix.Close(fd)
	r.detach()
	return errno(unix.Syncfs(fd))
}
