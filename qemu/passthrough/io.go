package passthrough

import (
	"math"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// Data goes between the file and the client's memory without a copy.

// longIO is from where on a read or write leaves the queue to others, in bytes.
const longIO = 64 << 10

// maxParts is how many parts of memory one call takes: UIO_MAXIOV.
const maxParts = 1024

func (s *Server) read(r *request) syscall.Errno {
	var in fuse.ReadIn
	_ = in.Decode(r.body)
	h, e := s.handle(r, in.Fh, false)
	if e != 0 {
		return e
	}
	defer s.putHandle(h)
	if in.Offset > math.MaxInt64 || in.Size > maxWrite {
		return syscall.EINVAL
	}
	if in.Size >= longIO {
		r.detach()
	}
	want := min(int(in.Size), r.room)
	parts := slice(nil, r.out, fuse.OutHeaderSize, want)
	r.direct, e = transfer(parts, want, int64(in.Offset), func(parts [][]byte, off int64) (int, error) {
		if len(parts) == 1 {
			return unix.Pread(h.fd, parts[0], off)
		}
		return unix.Preadv(h.fd, parts, off)
	})
	return e
}

func (s *Server) write(r *request) syscall.Errno {
	var in fuse.WriteIn
	_ = in.Decode(r.body)
	h, e := s.handle(r, in.Fh, false)
	if e != 0 {
		return e
	}
	defer s.putHandle(h)
	if in.Offset > math.MaxInt64 || in.Size > maxWrite || int(in.Size) != size(r.data) {
		return syscall.EINVAL
	}
	if in.Size >= longIO {
		r.detach()
	}
	n, e := transfer(r.data, int(in.Size), int64(in.Offset), func(parts [][]byte, off int64) (int, error) {
		if len(parts) == 1 {
			return unix.Pwrite(h.fd, parts[0], off)
		}
		return unix.Pwritev(h.fd, parts, off)
	})
	if e == 0 {
		r.reply = (&fuse.WriteOut{Size: uint32(n)}).AppendTo(r.reply)
	}
	return e
}

// transfer moves want bytes between parts and a file by calls of move, until
// all are moved or move comes to an end. An error behind some bytes is left to
// the next request.
func transfer(parts [][]byte, want int, off int64, move func(parts [][]byte, off int64) (int, error)) (done int, e syscall.Errno) {
	for {
		some := parts[:min(len(parts), maxParts)]
		n, err := move(some, off+int64(done))
		if err == unix.EINTR {
			continue
		}
		if err != nil && done == 0 {
			return 0, errno(err)
		}
		done += max(n, 0)
		if err != nil || n <= 0 || done >= want {
			return done, 0
		}
		parts = slice(nil, parts, n, want-done)
	}
}

func (s *Server) fsync(r *request) syscall.Errno { return s.sync(r, false) }

func (s *Server) sync(r *request, dir bool) syscall.Errno {
	var in fuse.FsyncIn
	_ = in.Decode(r.body)
	h, e := s.handle(r, in.Fh, dir)
	if e != 0 {
		return e
	}
	defer s.putHandle(h)
	r.detach()
	if in.FsyncFlags&fuse.FUSE_FSYNC_FDATASYNC != 0 {
		return errno(unix.Fdatasync(h.fd))
	}
	return errno(unix.Fsync(h.fd))
}

func (s *Server) fallocate(r *request) syscall.Errno {
	var in fuse.FallocateIn
	_ = in.Decode(r.body)
	h, e := s.handle(r, in.Fh, false)
	if e != 0 {
		return e
	}
	defer s.putHandle(h)
	if in.Offset > math.MaxInt64 || in.Length > math.MaxInt64 {
		return syscall.EINVAL
	}
	r.detach()
	for {
		err := unix.Fallocate(h.fd, in.Mode, int64(in.Offset), int64(in.Length))
		if err != unix.EINTR {
			return errno(err)
		}
	}
}

// lseek finds data and holes. The position itself is the client's.
func (s *Server) lseek(r *request) syscall.Errno {
	var in fuse.LseekIn
	_ = in.Decode(r.body)
	h, e := s.handle(r, in.Fh, false)
	if e != 0 {
		return e
	}
	defer s.putHandle(h)
	if in.Whence != unix.SEEK_DATA && in.Whence != unix.SEEK_HOLE || in.Offset > math.MaxInt64 {
		return syscall.EINVAL
	}
	off, err := unix.Seek(h.fd, int64(in.Offset), int(in.Whence))
	if err != nil {
		return errno(err)
	}
	r.reply = (&fuse.LseekOut{Offset: uint64(off)}).AppendTo(r.reply)
	return 0
}

// maxCopy is how much one COPY_FILE_RANGE copies, in bytes: the answer has room
// for 32 bits, and the client asks again.
const maxCopy = 1 << 30

func (s *Server) copyFileRange(r *request) syscall.Errno {
	var in fuse.CopyFileRangeIn
	_ = in.Decode(r.body)
	from, e := s.handle(r, in.FhIn, false)
	if e != 0 {
		return e
	}
	defer s.putHandle(from)
	to, e := s.handleOf(in.NodeidOut, in.FhOut, false)
	if e != 0 {
		return e
	}
	defer s.putHandle(to)
	if in.Flags != 0 || in.OffIn > math.MaxInt64 || in.OffOut > math.MaxInt64 {
		return syscall.EINVAL
	}
	r.detach()
	offIn, offOut := int64(in.OffIn), int64(in.OffOut)
	for {
		n, err := unix.CopyFileRange(from.fd, &offIn, to.fd, &offOut, int(min(in.Len, maxCopy)), 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return errno(err)
		}
		r.reply = (&fuse.WriteOut{Size: uint32(n)}).AppendTo(r.reply)
		return 0
	}
}
