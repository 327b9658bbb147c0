package syscalls

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Read reads from fd's position on. 0: end of file.
func (k *Kernel) Read(fd int, p []byte) (int, syscall.Errno) {
	s, err := k.table.slot(fd)
	if err != 0 {
		return 0, err
	}
	d := s.desc
	n := 0
	if err = d.mayRead(); err == 0 {
		if d.stream != nil {
			n, err = s.stream(p, false)
		} else {
			n, err = d.read(p)
		}
	}
	d.put()
	return n, err
}

func (d *desc) mayRead() syscall.Errno {
	switch {
	case d.opened&O_PATH != 0 || !d.readable():
		return syscall.EBADF
	case d.kind == syscall.S_IFDIR:
		return syscall.EISDIR
	}
	return 0
}

func (d *desc) mayWrite() syscall.Errno {
	if d.opened&O_PATH != 0 || !d.writable() {
		return syscall.EBADF
	}
	return 0
}

func (d *desc) read(p []byte) (int, syscall.Errno) {
	d.mu.Lock()
	n, err := d.file.ReadAt(p, d.pos)
	d.pos += int64(n)
	d.mu.Unlock()
	return n, errno(err)
}

// Pread reads at off and leaves the position alone.
func (k *Kernel) Pread(fd int, p []byte, off int64) (int, syscall.Errno) {
	if off < 0 {
		return 0, syscall.EINVAL
	}
	d, err := k.table.get(fd)
	if err != 0 {
		return 0, err
	}
	n := 0
	switch {
	case d.stream != nil:
		err = syscall.ESPIPE
	default:
		if err = d.mayRead(); err != 0 {
			break
		}
		var e error
		n, e = d.file.ReadAt(p, off)
		err = errno(e)
	}
	d.put()
	return n, err
}

// Write writes at fd's position, or at the end of the file with O_APPEND.
func (k *Kernel) Write(fd int, p []byte) (int, syscall.Errno) {
	s, err := k.table.slot(fd)
	if err != 0 {
		return 0, err
	}
	d := s.desc
	n := 0
	if err = d.mayWrite(); err == 0 {
		if d.stream != nil {
			n, err = s.stream(p, true)
		} else {
			n, err = d.write(p)
		}
	}
	d.put()
	return n, err
}

func (d *desc) write(p []byte) (int, syscall.Errno) {
	if len(p) == 0 {
		return 0, 0 // O_APPEND does not move the position either
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n, end, err := d.writeAt(p, d.pos)
	if err == nil {
		d.pos = end
	}
	return n, errno(err)
}

// writeAt writes p at off, or at the end of the file with O_APPEND.
func (d *desc) writeAt(p []byte, off int64) (int, int64, error) {
	if d.flags.Load()&syscall.O_APPEND != 0 && d.opened&syscall.O_APPEND == 0 && !d.flagFile {
		// F_SETFL has added the flag, which the file system does not know.
		var a fs.Attr
		if err := d.file.Getattr(&a); err != nil {
			return 0, 0, err
		}
		off = a.Size
	}
	n, end, err := d.file.WriteAt(p, off)
	if n > 0 {
		d.maps.written(d.dentry.Node(), p[:n], end-int64(n))
	}
	return n, end, err
}

// Pwrite writes at off, or at the end of the file with O_APPEND, and leaves
// the position alone.
func (k *Kernel) Pwrite(fd int, p []byte, off int64) (int, syscall.Errno) {
	if off < 0 {
		return 0, syscall.EINVAL
	}
	d, err := k.table.get(fd)
	if err != 0 {
		return 0, err
	}
	n := 0
	switch {
	case d.stream != nil:
		err = syscall.ESPIPE
	default:
		if err = d.mayWrite(); err != 0 {
			break
		}
		var e error
		n, _, e = d.writeAt(p, off)
		err = errno(e)
	}
	d.put()
	return n, err
}

// Fsync writes the file's data and attributes to stable storage.
func (k *Kernel) Fsync(fd int) syscall.Errno { return k.fsync(fd, false) }

// Fdatasync writes the file's data to stable storage.
func (k *Kernel) Fdatasync(fd int) syscall.Errno { return k.fsync(fd, true) }

func (k *Kernel) fsync(fd int, dataOnly bool) syscall.Errno {
	d, err := k.table.file(fd)
	if err != 0 {
		return err
	}
	defer d.put()
	if e := d.maps.flush(d.dentry.Node()); e != 0 {
		return e
	}
	return errno(d.file.Fsync(dataOnly))
}

// Sync writes back all file systems.
func (k *Kernel) Sync() {
	k.maps.flush(nil)
	k.vfs.Sync()
}

// Ftruncate sets the size of the open file.
func (k *Kernel) Ftruncate(fd int, size int64) syscall.Errno {
	if size < 0 {
		return syscall.EINVAL
	}
	d, err := k.table.file(fd)
	if err != 0 {
		return err
	}
	defer d.put()
	if !d.writable() || d.stream != nil || d.kind != syscall.S_IFREG {
		return syscall.EINVAL
	}
	e := errno(d.dentry.SetattrFile(d.file, &fs.SetAttr{Valid: fs.SetSize, Size: size}))
	if e == 0 {
		k.maps.resized(d.dentry.Node(), size)
	}
	return e
}
