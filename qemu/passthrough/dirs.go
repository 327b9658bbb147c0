package passthrough

import (
	"bytes"
	"encoding/binary"
	"math"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

func (s *Server) opendir(r *request) syscall.Errno {
	n, e := s.dir(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(n)
	fd, e := n.reopen(unix.O_RDONLY | unix.O_DIRECTORY)
	if e != 0 {
		return e
	}
	h, e := s.addHandle(n.id, fd, 0, true)
	if e == 0 {
		r.reply = s.openOut(h).AppendTo(r.reply)
	}
	return e
}

func (s *Server) releasedir(r *request) syscall.Errno { return s.releaseHandle(r, true) }

func (s *Server) fsyncdir(r *request) syscall.Errno { return s.sync(r, true) }

func (s *Server) readdir(r *request) syscall.Errno { return s.list(r, false) }

func (s *Server) readdirplus(r *request) syscall.Errno { return s.list(r, true) }

// Layout of struct linux_dirent64: inode, cookie of the next entry, length of
// this one, type, name.
const (
	direntOff    = 8
	direntReclen = 16
	direntType   = 18
	direntName   = 19
	direntMin    = 24  // bytes of one with a name of up to 4
	direntMax    = 280 // bytes of one with the longest name
)

var listings = sync.Pool{New: func() any { return new([maxListing]byte) }}

// list answers with entries of a directory. It reads no more of them from the
// host than the reply has room for: the host goes on from where it is, and
// keeps its place while names come and go, which it may not if it is sent back
// to a cookie.
func (s *Server) list(r *request, plus bool) syscall.Errno {
	var in fuse.ReadIn
	_ = in.Decode(r.body)
	h, e := s.handle(r, in.Fh, true)
	if e != 0 {
		return e
	}
	defer s.putHandle(h)
	dir, e := s.dir(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(dir)
	if in.Offset > math.MaxInt64 {
		return syscall.EINVAL
	}
	room := min(int(min(in.Size, maxListing)), r.room)
	// The shortest name takes most room for what it takes on the host.
	most := fuse.DirentSize + 8
	if plus {
		most += fuse.EntryOutSize
		r.detach()
	}
	buf := listings.Get().(*[maxListing]byte)
	defer listings.Put(buf)

	h.pos.Lock()
	defer h.pos.Unlock()
	if at := int64(in.Offset); at != h.at {
		if _, err := unix.Seek(h.fd, at, 0); err != nil {
			return errno(err)
		}
		h.at = at
	}
	for len(r.reply) == 0 {
		n, err := unix.ReadDirent(h.fd, buf[:max(room*direntMin/most, direntMax)])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return errno(err)
		}
		if n == 0 {
			break
		}
		for b := buf[:n]; len(b) > 0; {
			size := int(binary.LittleEndian.Uint16(b[direntReclen:]))
			name, _, _ := bytes.Cut(b[direntName:size], []byte{0})
			d := fuse.Dirent{
				Ino: binary.LittleEndian.Uint64(b), Off: binary.LittleEndian.Uint64(b[direntOff:]),
				Type: uint32(b[direntType]),
			}
			b = b[size:]
			if !s.appendEntry(r, dir, &d, string(name), room, plus) {
				if len(r.reply) == 0 {
					return syscall.EINVAL // not even room for one, as with getdents(2)
				}
				h.at = -1 // the host is further
				return 0
			}
			h.at = int64(d.Off)
		}
	}
	return 0
}

// appendEntry appends one entry of a directory to the reply, or reports that
// there is no room for it.
func (s *Server) appendEntry(r *request, dir *node, d *fuse.Dirent, name string, room int, plus bool) bool {
	need := (fuse.DirentSize + len(name) + 7) &^ 7
	if plus {
		need += fuse.EntryOutSize
	}
	if len(r.reply)+need > room {
		return false
	}
	if dir == s.root && name == ".." {
		d.Ino = s.root.inode.ino // what is above is not for the client to know
	}
	if plus {
		var entry fuse.EntryOut
		if name != "." && name != ".." {
			// Without an entry the client looks the name up if it wants to know
			// more: others that have no error are not to suffer.
			switch s.find(dir, name, &entry) {
			case 0:
			case syscall.ENOENT:
				return true // it has just gone
			default:
				entry = fuse.EntryOut{}
			}
		}
		r.reply = entry.AppendTo(r.reply)
	}
	r.reply = fuse.AppendDirent(r.reply, d, name)
	return true
}
