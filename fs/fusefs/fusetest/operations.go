package fusetest

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// operations are those that the server has; n is nil for those without a node.
var operations = map[uint32]func(s *Server, n *inode, c *call) error{
	fuse.FUSE_INIT: func(s *Server, n *inode, c *call) error {
		flags := s.Flags | fuse.FUSE_INIT_EXT
		c.body = (&fuse.InitOut{
			Major: fuse.FUSE_KERNEL_VERSION, Minor: fuse.FUSE_KERNEL_MINOR_VERSION, MaxReadahead: 1 << 20,
			Flags: uint32(flags), Flags2: uint32(flags >> 32), MaxWrite: 1 << 20, MaxPages: 256, TimeGran: 1,
		}).AppendTo(nil)
		return nil
	},
	fuse.FUSE_DESTROY: done,
	fuse.FUSE_FLUSH:   done,
	fuse.FUSE_FSYNC:   done,
	fuse.FUSE_SYNCFS:  done,
	fuse.FUSE_FORGET: func(s *Server, n *inode, c *call) error {
		var in fuse.ForgetIn
		in.Decode(c.args)
		s.forget(c.Nodeid, in.Nlookup)
		return nil
	},
	fuse.FUSE_BATCH_FORGET: func(s *Server, n *inode, c *call) error {
		for b := c.args[fuse.BatchForgetInSize:]; len(b) >= fuse.ForgetOneSize; b = b[fuse.ForgetOneSize:] {
			var one fuse.ForgetOne
			one.Decode(b)
			s.forget(one.Nodeid, one.Nlookup)
		}
		return nil
	},
	fuse.FUSE_LOOKUP: func(s *Server, n *inode, c *call) error {
		name, _ := c.names(0)
		return c.entry(s.entry(n.lookup(name)))
	},
	fuse.FUSE_GETATTR: func(s *Server, n *inode, c *call) error {
		var in fuse.GetattrIn
		in.Decode(c.args)
		if in.GetattrFlags&fuse.FUSE_GETATTR_FH != 0 {
			return c.attr(s, s.open[in.Fh])
		}
		return c.attr(s, n)
	},
	fuse.FUSE_SETATTR: func(s *Server, n *inode, c *call) error {
		var in fuse.SetattrIn
		in.Decode(c.args)
		set := fs.SetAttr{Mode: in.Mode & 0o7777, Uid: in.Uid, Gid: in.Gid, Size: int64(in.Size),
			Atime: fs.Time{Sec: int64(in.Atime), Nsec: in.Atimensec}, Mtime: fs.Time{Sec: int64(in.Mtime), Nsec: in.Mtimensec}}
		for _, x := range []struct{ fattr, set uint32 }{
			{fuse.FATTR_MODE, fs.SetMode}, {fuse.FATTR_UID, fs.SetUid}, {fuse.FATTR_GID, fs.SetGid}, {fuse.FATTR_SIZE, fs.SetSize},
			{fuse.FATTR_ATIME, fs.SetAtime}, {fuse.FATTR_MTIME, fs.SetMtime},
		} {
			if in.Valid&x.fattr != 0 {
				set.Valid |= x.set
			}
		}
		var a fs.Attr
		if err := n.Setattr(&set, &a); err != nil {
			return err
		}
		return c.attr(s, n)
	},
	fuse.FUSE_MKDIR: func(s *Server, n *inode, c *call) error {
		var in fuse.MkdirIn
		in.Decode(c.args)
		name, _ := c.names(fuse.MkdirInSize)
		return c.entry(s.entry(n.Mkdir(name, in.Mode, in.Umask)))
	},
	fuse.FUSE_MKNOD: func(s *Server, n *inode, c *call) error {
		var in fuse.MknodIn
		in.Decode(c.args)
		name, _ := c.names(fuse.MknodInSize)
		return c.entry(s.entry(n.Mknod(name, in.Mode, in.Umask, in.Rdev)))
	},
	fuse.FUSE_LINK: func(s *Server, n *inode, c *call) error {
		var in fuse.LinkIn
		in.Decode(c.args)
		name, _ := c.names(fuse.LinkInSize)
		old := s.node[in.Oldnodeid]
		if old == nil {
			return syscall.ESTALE
		}
		return c.entry(s.entry(n.Link(name, old.Node)))
	},
	fuse.FUSE_UNLINK: func(s *Server, n *inode, c *call) error {
		name, _ := c.names(0)
		return n.Unlink(name)
	},
	fuse.FUSE_RMDIR: func(s *Server, n *inode, c *call) error {
		name, _ := c.names(0)
		return n.Rmdir(name)
	},
	fuse.FUSE_RENAME: func(s *Server, n *inode, c *call) error {
		var in fuse.RenameIn
		in.Decode(c.args)
		return s.rename(n, c, fuse.RenameInSize, in.Newdir, 0)
	},
	fuse.FUSE_RENAME2: func(s *Server, n *inode, c *call) error {
		var in fuse.Rename2In
		in.Decode(c.args)
		return s.rename(n, c, fuse.Rename2InSize, in.Newdir, in.Flags)
	},
	fuse.FUSE_OPEN:    open,
	fuse.FUSE_OPENDIR: open,
	fuse.FUSE_CREATE: func(s *Server, n *inode, c *call) error {
		var in fuse.CreateIn
		in.Decode(c.args)
		name, _ := c.names(fuse.CreateInSize)
		flags := int(in.Flags) &^ syscall.O_CREAT
		// The VFS asks for what is there before it creates.
		e, err := n.lookup(name)
		var f fs.File
		switch {
		case err != nil:
			return err
		case e.Node == nil:
			e, f, err = n.Create(name, flags, in.Mode, in.Umask)
		case flags&syscall.O_EXCL != 0:
			e.Node.Unref()
			return syscall.EEXIST
		default:
			f, err = e.Node.Open(flags)
		}
		if err != nil {
			return err
		}
		out, err := s.entry(e, nil)
		if err != nil {
			return err
		}
		c.body = s.opened(f).AppendTo(out.AppendTo(nil))
		return nil
	},
	fuse.FUSE_RELEASE:    release,
	fuse.FUSE_RELEASEDIR: release,
	fuse.FUSE_READ: func(s *Server, n *inode, c *call) error {
		var in fuse.ReadIn
		in.Decode(c.args)
		f := s.open[in.Fh]
		if f == nil {
			return syscall.EBADF
		}
		c.body = make([]byte, in.Size)
		got, err := f.ReadAt(c.body, int64(in.Offset))
		c.body = c.body[:got]
		return err
	},
	fuse.FUSE_WRITE: func(s *Server, n *inode, c *call) error {
		var in fuse.WriteIn
		in.Decode(c.args)
		f := s.open[in.Fh]
		if f == nil {
			return syscall.EBADF
		}
		put, _, err := f.WriteAt(c.args[fuse.WriteInSize:], int64(in.Offset))
		c.body = (&fuse.WriteOut{Size: uint32(put)}).AppendTo(nil)
		return err
	},
	fuse.FUSE_FALLOCATE: func(s *Server, n *inode, c *call) error {
		var in fuse.FallocateIn
		in.Decode(c.args)
		f, ok := s.open[in.Fh].(fs.FallocateFile)
		if !ok {
			return syscall.EOPNOTSUPP
		}
		return f.Fallocate(in.Mode, int64(in.Offset), int64(in.Length))
	},
	fuse.FUSE_READDIR:     func(s *Server, n *inode, c *call) error { return s.list(n, c, false) },
	fuse.FUSE_READDIRPLUS: func(s *Server, n *inode, c *call) error { return s.list(n, c, true) },
}

func done(s *Server, n *inode, c *call) error { return nil }

func open(s *Server, n *inode, c *call) error {
	var in fuse.OpenIn
	in.Decode(c.args)
	f, err := n.Open(int(in.Flags))
	if err != nil {
		return err
	}
	c.body = s.opened(f).AppendTo(nil)
	return nil
}

func release(s *Server, n *inode, c *call) error {
	var in fuse.ReleaseIn
	in.Decode(c.args)
	if f := s.open[in.Fh]; f != nil {
		delete(s.open, in.Fh)
		f.Release()
	}
	return nil
}

func (s *Server) rename(n *inode, c *call, size int, newDir uint64, flags uint32) error {
	from, to := c.names(size)
	dir := s.node[newDir]
	if dir == nil {
		return syscall.ESTALE
	}
	return n.Rename(from, dir.Node, to, flags)
}

// list answers READDIR and READDIRPLUS.
func (s *Server) list(n *inode, c *call, plus bool) error {
	var in fuse.ReadIn
	in.Decode(c.args)
	f := s.open[in.Fh]
	if f == nil {
		return syscall.EBADF
	}
	var list []fs.Dirent
	err := f.ReadDir(in.Offset, func(d *fs.Dirent) bool {
		list = append(list, *d)
		return len(list) < 64
	})
	if err != nil {
		return err
	}
	for _, d := range list {
		size := (fuse.DirentSize + len(d.Name) + 7) &^ 7
		if plus {
			size += fuse.EntryOutSize
		}
		if len(c.body)+size > int(in.Size) {
			break
		}
		if plus {
			e, err := s.entry(n.lookup(d.Name))
			if err != nil {
				return err
			}
			c.body = e.AppendTo(c.body)
		}
		c.body = fuse.AppendDirent(c.body, &fuse.Dirent{Ino: d.Ino, Off: d.Next, Type: uint32(d.Type)}, d.Name)
	}
	return nil
}

// lookup is Lookup with a negative entry for what is not there.
func (n *inode) lookup(name string) (fs.Entry, error) {
	e, err := n.Lookup(name)
	if err == syscall.ENOENT {
		return fs.Entry{}, nil
	}
	return e, err
}

func (c *call) entry(e *fuse.EntryOut, err error) error {
	if err == nil {
		c.body = e.AppendTo(nil)
	}
	return err
}

func (c *call) attr(s *Server, from interface{ Getattr(*fs.Attr) error }) error {
	if from == fs.File(nil) || from == nil {
		return syscall.EBADF
	}
	var out fuse.AttrOut
	out.AttrValid, out.AttrValidNsec = seconds(s.Valid())
	if err := attr(from, &out.Attr); err != nil {
		return err
	}
	c.body = out.AppendTo(nil)
	return nil
}
