package syscalls

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Read reads from fd's position on. 0: end of file.
func (k *Kernel) Read(fd int, p []byte) (int, syscall.Errno) {
	if k.maps.holds(p) {
		return k.maps.lend(p, true, func(p []byte) (int, syscall.Errno) { return k.readTo(fd, p) })
	}
	return k.readTo(fd, p)
}

func (k *Kernel) readTo(fd int, p []byte) (int, syscall.Errno) {
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
	d.notifyIO(n, fs.InAccess)
	d.put()
	k.reads.add(n)
	return n, err
}

// notifyIO tells of a read or a write of n bytes.
func (d *desc) notifyIO(n int, event uint32) {
	if n > 0 {
		d.dentry.Notify(event)
	}
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
	n, err := d.readAt(p, d.pos)
	d.pos += int64(n)
	d.mu.Unlock()
	return n, errno(err)
}

// Pread reads at off and leaves the position alone.
func (k *Kernel) Pread(fd int, p []byte, off int64) (int, syscall.Errno) {
	if k.maps.holds(p) {
		return k.maps.lend(p, true, func(p []byte) (int, syscall.Errno) { return k.preadTo(fd, p, off) })
	}
	return k.preadTo(fd, p, off)
}

func (k *Kernel) preadTo(fd int, p []byte, off int64) (int, syscall.Errno) {
	if off < 0 {
		return 0, syscall.EINVAL
	}
	d, err := k.table.get(fd)
	if err != 0 {
		return 0, err
	}
	n := 0
	switch {
	case d.stream != nil || d.anon():
		err = syscall.ESPIPE
	default:
		if err = d.mayRead(); err != 0 {
			break
		}
		var e error
		n, e = d.readAt(p, off)
		err = errno(e)
	}
	d.notifyIO(n, fs.InAccess)
	d.put()
	k.reads.add(n)
	return n, err
}

// Write writes at fd's position, or at the end of the file with O_APPEND.
func (k *Kernel) Write(fd int, p []byte) (int, syscall.Errno) {
	if k.maps.holds(p) {
		return k.maps.lend(p, false, func(p []byte) (int, syscall.Errno) { return k.writeFrom(fd, p) })
	}
	return k.writeFrom(fd, p)
}

func (k *Kernel) writeFrom(fd int, p []byte) (int, syscall.Errno) {
	s, err := k.table.slot(fd)
	if err != 0 {
		return 0, err
	}
	d := s.desc
	n := 0
	if err = d.mayWrite(); err == 0 {
		if d.stream != nil {
			if n, err = s.stream(p, true); err == syscall.EPIPE && d.breaks() {
				k.brokenPipe()
			}
		} else {
			n, err = d.write(p)
		}
	}
	d.notifyIO(n, fs.InModify)
	d.put()
	k.writes.add(n)
	return n, err
}

func (d *desc) write(p []byte) (int, syscall.Errno) {
	if len(p) == 0 && !d.anon() {
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
	if d.sealable && len(p) > 0 && d.sealed() {
		return 0, 0, syscall.EPERM
	}
	if d.flags.Load()&syscall.O_APPEND != 0 && d.opened&syscall.O_APPEND == 0 && !d.flagFile {
		// F_SETFL has added the flag, which the file system does not know.
		var a fs.Attr
		if err := d.file.Getattr(&a); err != nil {
			return 0, 0, err
		}
		off = a.Size
	}
	if d.maps.kernel.maxSize.Load() != 0 {
		var err error
		if p, err = d.roomFor(p, off); err != nil {
			return 0, 0, err
		}
	}
	if f := d.mapped(); f != nil {
		defer d.maps.close(f)
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.writeAt(d.file, p, off)
	}
	n, end, err := d.file.WriteAt(p, off)
	if n > 0 {
		d.maps.refresh(d.dentry.Node(), end-int64(n), end) // mapped meanwhile
	}
	return n, end, err
}

// readAt reads p at off.
func (d *desc) readAt(p []byte, off int64) (int, error) {
	f := d.mapped()
	if f == nil {
		return d.file.ReadAt(p, off)
	}
	defer d.maps.close(f)
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.readAt(d.file, p, off)
}

// mapped is what maps has of the file, with a reference for its close; or nil.
func (d *desc) mapped() *mappedFile { return d.maps.get(d.dentry.Node()) }

// Pwrite writes at off, or at the end of the file with O_APPEND, and leaves
// the position alone.
func (k *Kernel) Pwrite(fd int, p []byte, off int64) (int, syscall.Errno) {
	if k.maps.holds(p) {
		return k.maps.lend(p, false, func(p []byte) (int, syscall.Errno) { return k.pwriteFrom(fd, p, off) })
	}
	return k.pwriteFrom(fd, p, off)
}

func (k *Kernel) pwriteFrom(fd int, p []byte, off int64) (int, syscall.Errno) {
	if off < 0 {
		return 0, syscall.EINVAL
	}
	d, err := k.table.get(fd)
	if err != 0 {
		return 0, err
	}
	n := 0
	switch {
	case d.stream != nil || d.anon():
		err = syscall.ESPIPE
	default:
		if err = d.mayWrite(); err != 0 {
			break
		}
		var e error
		n, _, e = d.writeAt(p, off)
		err = errno(e)
	}
	d.notifyIO(n, fs.InModify)
	d.put()
	k.writes.add(n)
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

// SyncFileRange writes what n bytes from off on have that is new (0: all up to the
// end), and waits for it if flags, of the SYNC_FILE_RANGE_ constants, are any:
// Fdatasync does more. ESPIPE: the file is neither regular nor a directory.
func (k *Kernel) SyncFileRange(fd int, off, n int64, flags uint32) syscall.Errno {
	const all = 1 | 2 | 4
	d, e := k.table.file(fd)
	if e != 0 {
		return e
	}
	defer d.put()
	switch {
	case flags&^all != 0 || off < 0 || n < 0 || off+n < 0:
		return syscall.EINVAL
	case d.kind != syscall.S_IFREG && d.kind != syscall.S_IFDIR:
		return syscall.ESPIPE
	case flags == 0:
		return 0
	}
	return k.Fdatasync(fd)
}

// Sync writes back all file systems.
func (k *Kernel) Sync() {
	k.maps.flushAll()
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
	if e := k.mayGrow(size, d.file.Getattr); e != 0 {
		return e
	}
	set := func() syscall.Errno {
		return errno(d.dentry.SetattrFile(d.file, &fs.SetAttr{Valid: fs.SetSize, Size: size}))
	}
	f := d.mapped()
	if f == nil {
		e := set()
		k.maps.refresh(d.dentry.Node(), 0, 0) // mapped meanwhile
		return e
	}
	defer k.maps.close(f)
	f.mu.Lock()
	defer f.mu.Unlock()
	e := set()
	if e == 0 {
		f.resized(size)
	}
	return e
}
