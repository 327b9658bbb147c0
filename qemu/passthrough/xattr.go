package passthrough

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// Bounds of Linux (linux/limits.h), in bytes.
const (
	maxXattrName  = 255
	maxXattrValue = 64 << 10 // and of a list of names
)

// xattrName takes the name of an attribute off the body behind skip bytes.
// behind is what follows it.
func (r *request) xattrName(skip int) (name string, behind []byte, e syscall.Errno) {
	b := r.body[min(skip, len(r.body)):]
	for i, c := range b {
		switch {
		case c == 0 && i == 0, i > maxXattrName:
			return "", nil, syscall.ERANGE
		case c == 0:
			return string(b[:i]), b[i+1:], 0
		}
	}
	return "", nil, syscall.EINVAL
}

func (s *Server) setxattr(r *request) syscall.Errno {
	skip := fuse.FUSE_COMPAT_SETXATTR_IN_SIZE
	if s.flags.Load()&fuse.FUSE_SETXATTR_EXT != 0 {
		skip = fuse.SetxattrInSize
	}
	var head [fuse.SetxattrInSize]byte
	copy(head[:skip], r.body)
	var in fuse.SetxattrIn
	_ = in.Decode(head[:])
	name, value, e := r.xattrName(skip)
	if e != 0 {
		return e
	}
	if int64(in.Size) != int64(len(value)) {
		return syscall.EINVAL
	}
	n, e := s.node(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(n)
	return errno(unix.Setxattr(procPath(n.fd), name, value, int(in.Flags)))
}

func (s *Server) removexattr(r *request) syscall.Errno {
	name, behind, e := r.xattrName(0)
	if e == 0 && len(behind) > 0 {
		e = syscall.EINVAL
	}
	if e != 0 {
		return e
	}
	n, e := s.node(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(n)
	return errno(unix.Removexattr(procPath(n.fd), name))
}

func (s *Server) getxattr(r *request) syscall.Errno {
	name, behind, e := r.xattrName(fuse.GetxattrInSize)
	if e == 0 && len(behind) > 0 {
		e = syscall.EINVAL
	}
	if e != 0 {
		return e
	}
	return s.readXattr(r, func(path string, buf []byte) (int, error) { return unix.Getxattr(path, name, buf) })
}

func (s *Server) listxattr(r *request) syscall.Errno {
	return s.readXattr(r, unix.Listxattr)
}

// readXattr answers with what get has put into the buffer, or with its size if
// the client has no room for it.
func (s *Server) readXattr(r *request, get func(path string, buf []byte) (int, error)) syscall.Errno {
	var in fuse.GetxattrIn
	_ = in.Decode(r.body)
	n, e := s.node(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(n)
	var buf []byte
	if in.Size > 0 {
		buf = make([]byte, min(in.Size, maxXattrValue))
	}
	k, err := get(procPath(n.fd), buf)
	switch {
	case err != nil:
		return errno(err)
	case in.Size == 0:
		r.reply = (&fuse.GetxattrOut{Size: uint32(k)}).AppendTo(r.reply)
	default:
		r.reply = append(r.reply, buf[:k]...)
	}
	return 0
}
