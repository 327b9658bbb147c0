package passthrough

import (
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// checkName refuses what is not the name of an entry of a directory.
func checkName(name string) syscall.Errno {
	switch {
	case name == "", name == ".", name == "..", strings.ContainsAny(name, "/\x00"):
		return syscall.EINVAL
	case len(name) > fuse.NameMax:
		return syscall.ENAMETOOLONG
	}
	return 0
}

// openAt opens a name in a directory, but nothing that it may be a link to.
// The name is one component, which checkName has passed, so that openat with
// O_NOFOLLOW is as tight as openat2, which kernels before 5.6 do not have and
// some sandboxes do not allow.
func (s *Server) openAt(dir *node, name string, flags int, mode uint32) (int, syscall.Errno) {
	flags |= unix.O_NOFOLLOW | unix.O_CLOEXEC
	for {
		fd, err := -1, error(unix.ENOSYS)
		if s.openat2.Load() {
			fd, err = unix.Openat2(dir.fd, name, &unix.OpenHow{
				Flags: uint64(flags), Mode: uint64(mode),
				Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS,
			})
			if err == unix.ENOSYS || err == unix.EPERM && flags&unix.O_PATH != 0 {
				s.openat2.Store(false)
			}
		}
		if !s.openat2.Load() {
			fd, err = unix.Openat(dir.fd, name, flags, mode)
		}
		if err != unix.EINTR {
			return fd, errno(err)
		}
	}
}

// find finds a name in a directory.
func (s *Server) find(dir *node, name string, e *fuse.EntryOut) syscall.Errno {
	fd, err := s.openAt(dir, name, unix.O_PATH, 0)
	if err != 0 {
		return err
	}
	return s.entry(fd, dir, e)
}

// as runs f, which creates a file, as the user of the request.
func (s *Server) as(r *request, f func() error) syscall.Errno {
	uid, gid := int(r.header.Uid), int(r.header.Gid)
	if !s.switches || uid == 0 && gid == 0 {
		return errno(f())
	}
	// Both are of the thread alone.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer func() {
		_, _ = unix.SetfsuidRetUid(0)
		_, _ = unix.SetfsgidRetGid(0)
	}()
	_, _ = unix.SetfsgidRetGid(gid)
	_, _ = unix.SetfsuidRetUid(uid)
	// They tell of no error, but -1 changes nothing and tells who one is.
	u, _ := unix.SetfsuidRetUid(-1)
	g, _ := unix.SetfsgidRetGid(-1)
	if u != uid || g != gid {
		return syscall.EINVAL
	}
	return errno(f())
}

// place takes the name of a directory entry, behind a structure of skip bytes, and
// the request's directory, which the request gives back by putNode.
func (s *Server) place(r *request, skip int) (dir *node, name string, e syscall.Errno) {
	names, e := r.names(skip, 1)
	if e == 0 {
		dir, e = s.placeOf(r, names[0])
	}
	return dir, names[0], e
}

// placeOf is place for a name that has been taken.
func (s *Server) placeOf(r *request, name string) (*node, syscall.Errno) {
	if e := checkName(name); e != 0 {
		return nil, e
	}
	return s.dir(r.header.Nodeid)
}

func (s *Server) lookup(r *request) syscall.Errno {
	dir, name, e := s.place(r, 0)
	if e != 0 {
		return e
	}
	defer s.putNode(dir)
	return s.replyEntry(r, dir, name)
}

// replyEntry answers with the entry of a name.
func (s *Server) replyEntry(r *request, dir *node, name string) syscall.Errno {
	var entry fuse.EntryOut
	e := s.find(dir, name, &entry)
	if e == 0 {
		r.reply = entry.AppendTo(r.reply)
	}
	return e
}

// make makes a name in a directory by f, and answers with its entry.
func (s *Server) make(r *request, dir *node, name string, f func() error) syscall.Errno {
	if e := s.as(r, f); e != 0 {
		return e
	}
	return s.replyEntry(r, dir, name)
}

func (s *Server) mknod(r *request) syscall.Errno {
	var in fuse.MknodIn
	_ = in.Decode(r.body)
	dir, name, e := s.place(r, fuse.MknodInSize)
	if e != 0 {
		return e
	}
	defer s.putNode(dir)
	return s.make(r, dir, name, func() error {
		return unix.Mknodat(dir.fd, name, in.Mode&(syscall.S_IFMT|0o7777), int(in.Rdev))
	})
}

func (s *Server) mkdir(r *request) syscall.Errno {
	var in fuse.MkdirIn
	_ = in.Decode(r.body)
	dir, name, e := s.place(r, fuse.MkdirInSize)
	if e != 0 {
		return e
	}
	defer s.putNode(dir)
	return s.make(r, dir, name, func() error { return unix.Mkdirat(dir.fd, name, in.Mode&0o7777) })
}

func (s *Server) symlink(r *request) syscall.Errno {
	names, e := r.names(0, 2) // the name and what it stands for
	if e != 0 {
		return e
	}
	dir, e := s.placeOf(r, names[0])
	if e != 0 {
		return e
	}
	defer s.putNode(dir)
	return s.make(r, dir, names[0], func() error { return unix.Symlinkat(names[1], dir.fd, names[0]) })
}

func (s *Server) link(r *request) syscall.Errno {
	var in fuse.LinkIn
	_ = in.Decode(r.body)
	dir, name, e := s.place(r, fuse.LinkInSize)
	if e != 0 {
		return e
	}
	defer s.putNode(dir)
	old, e := s.node(in.Oldnodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(old)
	if e := errno(unix.Linkat(unix.AT_FDCWD, procPath(old.fd), dir.fd, name, unix.AT_SYMLINK_FOLLOW)); e != 0 {
		return e
	}
	return s.replyEntry(r, dir, name)
}

func (s *Server) readlink(r *request) syscall.Errno {
	n, e := s.node(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(n)
	if n.typ != syscall.S_IFLNK {
		return syscall.EINVAL
	}
	buf := make([]byte, unix.PathMax)
	k, err := unix.Readlinkat(n.fd, "", buf)
	if err != nil {
		return errno(err)
	}
	r.reply = append(r.reply, buf[:k]...)
	return 0
}

func (s *Server) unlink(r *request) syscall.Errno { return s.remove(r, 0) }

func (s *Server) rmdir(r *request) syscall.Errno { return s.remove(r, unix.AT_REMOVEDIR) }

func (s *Server) remove(r *request, flags int) syscall.Errno {
	dir, name, e := s.place(r, 0)
	if e != 0 {
		return e
	}
	defer s.putNode(dir)
	return errno(unix.Unlinkat(dir.fd, name, flags))
}

func (s *Server) rename(r *request) syscall.Errno {
	var in fuse.RenameIn
	_ = in.Decode(r.body)
	return s.move(r, fuse.RenameInSize, in.Newdir, 0)
}

func (s *Server) rename2(r *request) syscall.Errno {
	var in fuse.Rename2In
	_ = in.Decode(r.body)
	return s.move(r, fuse.Rename2InSize, in.Newdir, in.Flags)
}

func (s *Server) move(r *request, skip int, newdir uint64, flags uint32) syscall.Errno {
	names, e := r.names(skip, 2)
	if e != 0 {
		return e
	}
	for _, name := range names {
		if e := checkName(name); e != 0 {
			return e
		}
	}
	if flags&^(unix.RENAME_NOREPLACE|unix.RENAME_EXCHANGE|unix.RENAME_WHITEOUT) != 0 {
		return syscall.EINVAL
	}
	from, e := s.dir(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(from)
	to, e := s.dir(newdir)
	if e != 0 {
		return e
	}
	defer s.putNode(to)
	return errno(unix.Renameat2(from.fd, names[0], to.fd, names[1], uint(flags)))
}
