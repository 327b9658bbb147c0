package syscalls

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Openat opens the file at path.
func (k *Kernel) Openat(dirfd int, path string, flags int, mode uint32) (int, syscall.Errno) {
	return k.open(dirfd, path, flags, mode, 0)
}

// open opens the file at path, to which the way may lead as resolve says.
func (k *Kernel) open(dirfd int, path string, flags int, mode uint32, resolve fs.Resolve) (int, syscall.Errno) {
	if flags&O_PATH != 0 {
		flags &= O_PATH | syscall.O_DIRECTORY | syscall.O_NOFOLLOW | syscall.O_CLOEXEC
	}
	from := path
	if resolve&fs.ResolveInRoot != 0 {
		from = "." // dirfd counts for absolute paths, too
	}
	b, e := k.base(dirfd, from)
	if e != 0 {
		return -1, e
	}
	b.Resolve = resolve
	unlock := func(fs.Node, int64) {}
	if flags&syscall.O_TRUNC != 0 {
		unlock = k.maps.lockAt(b, path)
	}
	f, d, err := k.vfs.Open(b.Base, path, flags, mode, k.umask.Load())
	b.done()
	if err != nil {
		unlock(nil, 0)
		return -1, errno(err)
	}
	unlock(d.Node(), 0)
	if flags&O_PATH == 0 {
		flags |= oLargefile
	}
	return k.install(f, d, flags)
}

// install enters an open file at the lowest free descriptor. It takes over f
// and d's reference.
func (k *Kernel) install(f fs.File, d *fs.Dentry, flags int) (int, syscall.Errno) {
	x := k.newDesc(f, d, flags&^(syscall.O_CREAT|syscall.O_EXCL|syscall.O_NOCTTY|syscall.O_TRUNC|syscall.O_CLOEXEC))
	fd, err := k.table.add(x, 0, flags&syscall.O_CLOEXEC != 0)
	if err != 0 {
		x.put()
	}
	return fd, err
}

// OpenAs opens the file at path as descriptor fd, in place of what that was:
// a standard stream.
func (k *Kernel) OpenAs(fd int, path string, flags int) syscall.Errno {
	from, e := k.Openat(AT_FDCWD, path, flags, 0)
	if e != 0 {
		return e
	}
	return k.moveTo(fd, from)
}

// OpenNodeAs is OpenAs of a node of m that no path leads to.
func (k *Kernel) OpenNodeAs(fd int, m *fs.Mount, n fs.Node, flags int) syscall.Errno {
	d, err := m.Nameless("", n)
	if err != nil {
		return errno(err)
	}
	f, err := d.Open(flags)
	if err != nil {
		d.Put()
		return errno(err)
	}
	from, e := k.install(f, d, flags)
	if e != 0 {
		return e
	}
	return k.moveTo(fd, from)
}

// moveTo makes the descriptor from fd, in place of what that was.
func (k *Kernel) moveTo(fd, from int) syscall.Errno {
	if from == fd {
		return 0
	}
	defer k.Close(from)
	return k.Dup3(from, fd, 0)
}

// Close ends a descriptor; calls blocked on it end with EBADF.
func (k *Kernel) Close(fd int) syscall.Errno {
	s, err := k.table.remove(fd)
	if err != 0 {
		return err
	}
	return s.close()
}

// Dup makes a further descriptor of the open file of fd.
func (k *Kernel) Dup(fd int) (int, syscall.Errno) { return k.dupFrom(fd, 0, false) }

func (k *Kernel) dupFrom(fd, from int, cloexec bool) (int, syscall.Errno) {
	d, err := k.table.get(fd)
	if err != 0 {
		return -1, err
	}
	nfd, err := k.table.add(d, from, cloexec)
	if err != 0 {
		d.put()
	}
	return nfd, err
}

// Dup3 makes nfd, closed first if it is open, a descriptor of the open file of fd.
func (k *Kernel) Dup3(fd, nfd, flags int) syscall.Errno {
	if fd == nfd || flags&^syscall.O_CLOEXEC != 0 {
		return syscall.EINVAL
	}
	d, err := k.table.get(fd)
	if err != 0 {
		return err
	}
	old, err := k.table.replace(nfd, d, flags&syscall.O_CLOEXEC != 0)
	if err != 0 {
		d.put()
		return err
	}
	if old != nil {
		old.close()
	}
	return 0
}

// mutable are the flags that F_SETFL changes.
const mutable = syscall.O_APPEND | syscall.O_NONBLOCK | syscall.O_DIRECT | syscall.O_NOATIME

// Commands of fcntl(2) on pipes and files of MemfdCreate.
const (
	fSetPipeSize = 1031
	fGetPipeSize = 1032
	fAddSeals    = 1033
	fGetSeals    = 1034
)

// Fcntl does F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL,
// F_SETPIPE_SZ, F_GETPIPE_SZ, F_ADD_SEALS and F_GET_SEALS.
func (k *Kernel) Fcntl(fd, cmd, arg int) (int, syscall.Errno) {
	s, err := k.table.slot(fd)
	if err != 0 {
		return -1, err
	}
	defer s.desc.put()
	switch cmd {
	case syscall.F_DUPFD, F_DUPFD_CLOEXEC:
		if arg < 0 || arg >= k.table.max() {
			return -1, syscall.EINVAL
		}
		return k.dupFrom(fd, arg, cmd == F_DUPFD_CLOEXEC)
	case syscall.F_GETFD:
		if s.cloexec.Load() {
			return syscall.FD_CLOEXEC, 0
		}
		return 0, 0
	case syscall.F_SETFD:
		s.cloexec.Store(arg&syscall.FD_CLOEXEC != 0)
		return 0, 0
	case syscall.F_GETFL:
		return int(s.desc.flags.Load()), 0
	case syscall.F_SETFL:
		return 0, s.desc.setFlags(int64(arg))
	}
	if s.desc.opened&O_PATH != 0 {
		return -1, syscall.EBADF
	}
	return s.desc.control(cmd, arg)
}

// control is Fcntl for what only some files have.
func (d *desc) control(cmd, arg int) (int, syscall.Errno) {
	switch cmd {
	case fSetPipeSize, fGetPipeSize:
		p, ok := d.file.(fs.PipeFile)
		switch {
		case !ok:
			return -1, syscall.EBADF
		case cmd == fGetPipeSize:
			return p.Size(), 0
		}
		n, err := p.Resize(int(uint32(arg)))
		if err != nil {
			return -1, errno(err)
		}
		return n, 0
	case fAddSeals:
		return 0, d.addSeals(int(uint32(arg)))
	case fGetSeals:
		f, ok := d.file.(fs.SealFile)
		if !ok || d.kind != syscall.S_IFREG {
			return -1, syscall.EINVAL
		}
		return int(f.Seals()), 0
	}
	return -1, syscall.EINVAL
}

// setFlags changes the mutable flags.
func (d *desc) setFlags(flags int64) syscall.Errno {
	if d.opened&O_PATH != 0 {
		return syscall.EBADF
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	flags = d.flags.Load()&^mutable | flags&mutable
	switch f := d.file.(type) {
	case fs.FlagFile:
		if err := f.SetFlags(int(flags)); err != nil {
			return errno(err)
		}
	default:
		// Without the file system's help appending can be added, but not
		// taken away.
		if d.stream == nil && int64(d.opened)&^flags&syscall.O_APPEND != 0 {
			return syscall.EINVAL
		}
	}
	d.flags.Store(flags)
	return 0
}

// Pipe2 makes a pipe: p[0] reads what p[1] writes.
func (k *Kernel) Pipe2(p *[2]int, flags int) syscall.Errno {
	if flags&^(syscall.O_CLOEXEC|syscall.O_NONBLOCK|syscall.O_DIRECT) != 0 {
		return syscall.EINVAL
	}
	if p == nil {
		return syscall.EFAULT
	}
	r, w, d := k.vfs.NewPipe(flags)
	rfd, err := k.install(r, d, flags&^syscall.O_DIRECT|syscall.O_RDONLY)
	if err != 0 {
		w.Release()
		d.Put()
		return err
	}
	wfd, err := k.install(w, d, flags|syscall.O_WRONLY)
	if err != 0 {
		k.Close(rfd)
		return err
	}
	p[0], p[1] = rfd, wfd
	return 0
}
