package fs

import (
	"strings"
	"syscall"
)

const (
	oPath   = 0x200000 // O_PATH
	oTmp    = 0x400000 // the bit of O_TMPFILE that is its own
	oAccess = syscall.O_ACCMODE

	// oHere are the flags that end in the VFS.
	oHere = syscall.O_CREAT | syscall.O_EXCL | syscall.O_DIRECTORY | syscall.O_NOFOLLOW | syscall.O_NOCTTY | syscall.O_CLOEXEC
)

// Open opens the file at path. Flags are the O_ constants; with O_CREAT a
// file that does not exist is made with mode less umask. It returns the open
// file and its dentry, with a reference.
func (v *VFS) Open(b Base, path string, flags int, mode, umask uint32) (File, *Dentry, error) {
	for distrust := false; ; distrust = true {
		f, d, err := v.openOnce(b, path, flags, mode, umask, distrust)
		if err != syscall.ESTALE || distrust {
			return f, d, err
		}
	}
}

func (v *VFS) openOnce(b Base, path string, flags int, mode, umask uint32, distrust bool) (File, *Dentry, error) {
	if flags&oPath != 0 {
		flags &= oPath | syscall.O_DIRECTORY | syscall.O_NOFOLLOW
	}
	if flags&oTmp != 0 {
		return v.openTmpfile(b, path, flags, mode, umask, distrust)
	}
	if flags&syscall.O_CREAT != 0 && flags&syscall.O_DIRECTORY != 0 {
		return nil, nil, syscall.EINVAL
	}
	var w walk
	if err := v.start(&w, b, path, distrust); err != nil {
		return nil, nil, err
	}
	defer func() { w.end() }()
	if flags&syscall.O_CREAT != 0 {
		f, d, err := w.create(flags, mode, umask)
		switch {
		case err == syscall.EEXIST: // that was asked for
			return nil, nil, err
		case err != nil:
			return nil, nil, w.doubt(err)
		case f != nil:
			d.Notify(InOpen)
			return f, d, nil
		}
	} else if err := w.finish(flags&syscall.O_NOFOLLOW == 0); err != nil {
		return nil, nil, err
	}
	f, err := w.at.Open(flags)
	switch {
	case err == syscall.ENOENT || err != nil && flags&syscall.O_CREAT != 0:
		return nil, nil, w.doubt(err)
	case err != nil:
		return nil, nil, err
	}
	w.at.Ref()
	w.at.notifyOpen(flags)
	return f, w.at, nil
}

// Open opens the file of d once more. O_CREAT and O_EXCL mean nothing here.
func (d *Dentry) Open(flags int) (File, error) {
	writes := flags&oAccess != syscall.O_RDONLY || flags&syscall.O_TRUNC != 0
	switch {
	case flags&syscall.O_DIRECTORY != 0 && !d.isDir():
		return nil, syscall.ENOTDIR
	case flags&oPath != 0:
		return newPathFile(d), nil
	case d.node == nil:
		return nil, syscall.ENOENT
	}
	switch d.kind {
	case syscall.S_IFLNK:
		return nil, syscall.ELOOP
	case syscall.S_IFDIR:
		if writes || flags&syscall.O_CREAT != 0 {
			return nil, syscall.EISDIR
		}
	case syscall.S_IFREG:
		if writes && d.mnt.readOnly {
			return nil, syscall.EROFS
		}
	default:
		return d.openSpecial(flags &^ oHere)
	}
	return d.node.Open(flags &^ oHere)
}

// create does the walk of an open with O_CREAT. A nil File without an error
// means that the file existed and that the walk stands on it.
func (w *walk) create(flags int, mode, umask uint32) (File, *Dentry, error) {
	writes := flags&oAccess != syscall.O_RDONLY || flags&(syscall.O_TRUNC|syscall.O_EXCL) != 0
	for {
		w.own = false
		if err := w.last(); err != nil {
			return nil, nil, err
		}
		w.own = writes
		// A directory can be made by mkdir only, and opened for reading only.
		switch {
		case isDots(w.name) && flags&syscall.O_EXCL != 0:
			return nil, nil, syscall.EEXIST
		case isDots(w.name) || w.slash:
			return nil, nil, syscall.EISDIR
		}
		p := w.at
		var d *Dentry
		if flags&syscall.O_EXCL == 0 {
			d = w.known(p, w.name)
		}
		if d == nil || d.kind == 0 || w.own && d.inFallback() {
			if d != nil {
				d.Put()
			}
			if err := w.made(); err != nil {
				return nil, nil, err
			}
			f, made, err := w.make(w.at, flags, mode, umask)
			if f != nil || err != nil {
				return f, made, err
			}
			d = made
		}
		switch {
		case flags&syscall.O_EXCL != 0:
			d.Put()
			return nil, nil, syscall.EEXIST
		case d.kind != syscall.S_IFLNK:
			w.move(d)
			return nil, nil, nil
		case flags&syscall.O_NOFOLLOW != 0:
			d.Put()
			return nil, nil, syscall.ELOOP
		}
		if err := w.follow(d); err != nil {
			return nil, nil, err
		}
		if w.rest == "" { // a Jumper
			return nil, nil, nil
		}
	}
}

// make creates the file w.name in p if it is not there. If it is, its dentry
// is returned without a File.
func (w *walk) make(p *Dentry, flags int, mode, umask uint32) (File, *Dentry, error) {
	defer p.unlockChange(p.lockChange(w.name))
	excl := flags&syscall.O_EXCL != 0
	d, err := w.findNew(p, w.name, excl)
	switch {
	case err == nil && excl && w.believed:
		d.Put()
		return nil, nil, syscall.ESTALE
	case err == nil:
		return nil, d, nil
	case err != syscall.ENOENT:
		return nil, nil, err
	case p.node == nil:
		return nil, nil, syscall.ENOENT
	case p.mnt.readOnly:
		return nil, nil, syscall.EROFS
	}
	name := strings.Clone(w.name)
	e, f, err := p.node.Create(name, flags&^(oHere&^syscall.O_EXCL), mode&0o7777, umask)
	if err != nil {
		w.v.notMade(p, name, err)
		return nil, nil, err
	}
	if flags&(syscall.O_TRUNC|syscall.O_EXCL) == 0 {
		if err := w.v.copyFallback(p, name, f); err != nil {
			f.Release()
			return nil, nil, err
		}
	}
	if d, err = w.v.insert(p, name, e); err != nil {
		f.Release()
		return nil, nil, err
	}
	p.notifyMade(name, d, false)
	return f, d, nil
}

// pathFile is what O_PATH opens: a place, without access to what is there.
type pathFile struct {
	UnsupportedFile
	d *Dentry
}

func newPathFile(d *Dentry) File {
	d.Ref()
	return &pathFile{d: d}
}

func (f *pathFile) Getattr(a *Attr) error                     { return f.d.Getattr(a) }
func (f *pathFile) Setattr(*SetAttr, *Attr) error             { return syscall.EBADF }
func (f *pathFile) ReadAt([]byte, int64) (int, error)         { return 0, syscall.EBADF }
func (f *pathFile) WriteAt([]byte, int64) (int, int64, error) { return 0, 0, syscall.EBADF }
func (f *pathFile) ReadDir(uint64, func(*Dirent) bool) error  { return syscall.EBADF }
func (f *pathFile) Fsync(bool) error                          { return syscall.EBADF }
func (f *pathFile) Release()                                  { f.d.Put() }
