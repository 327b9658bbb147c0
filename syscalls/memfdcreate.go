package syscalls

import (
	"slices"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Flags of memfd_create(2).
const (
	mfdCloexec      = 1
	mfdAllowSealing = 2
	mfdHugetlb      = 4
	mfdNoexecSeal   = 8
	mfdExec         = 16

	mfdNameMax = 249 // bytes
)

// MemfdCreate makes a file in memory that no path leads to. Name is what /proc
// shows of it. ENOSYS: huge pages, or k has no FileSystems.
func (k *Kernel) MemfdCreate(name string, flags int) (int, syscall.Errno) {
	const all = mfdCloexec | mfdAllowSealing | mfdNoexecSeal | mfdExec
	switch {
	case flags&mfdHugetlb != 0:
		return -1, syscall.ENOSYS
	case flags&^all != 0 || flags&mfdExec != 0 && flags&mfdNoexecSeal != 0 || len(name) > mfdNameMax || strings.Contains(name, "\x00"):
		return -1, syscall.EINVAL
	}
	mode, seals := uint32(0o777), uint32(fs.SealSeal)
	if flags&mfdAllowSealing != 0 {
		seals = 0
	}
	if flags&mfdNoexecSeal != 0 {
		mode, seals = 0o666, fs.SealExec
	}
	f, d, e := k.memoryFile("/memfd:"+name, mode)
	if e != 0 {
		return -1, e
	}
	if s, ok := f.(fs.SealFile); ok {
		s.InitSeals(seals)
	}
	cloexec := 0
	if flags&mfdCloexec != 0 {
		cloexec = syscall.O_CLOEXEC
	}
	return k.install(f, d, syscall.O_RDWR|oLargefile|cloexec)
}

// memoryFile makes a file in memory that no path leads to. Label is what /proc shows
// of it.
func (k *Kernel) memoryFile(label string, mode uint32) (fs.File, *fs.Dentry, syscall.Errno) {
	m, err := k.memory()
	if err != nil {
		return nil, nil, errno(err)
	}
	root := m.FileSystem().Root()
	defer root.Unref()
	dir, ok := root.(fs.TmpfileNode)
	if !ok {
		return nil, nil, syscall.ENOSYS
	}
	entry, f, err := dir.Tmpfile(syscall.O_RDWR|syscall.O_EXCL, mode, 0)
	if err != nil {
		return nil, nil, errno(err)
	}
	d, err := m.Nameless(label, entry.Node)
	if err != nil {
		f.Release()
		return nil, nil, errno(err)
	}
	return f, d, 0
}

// memory is where files in memory lie, made when it is first needed.
func (k *Kernel) memory() (*fs.Mount, error) {
	k.places.Lock()
	defer k.places.Unlock()
	if k.memfds != nil {
		return k.memfds, nil
	}
	if k.FileSystems == nil {
		return nil, syscall.ENOSYS
	}
	f, err := k.FileSystems("tmpfs", "tmpfs", "")
	if err != nil {
		return nil, err
	}
	k.memfds = k.vfs.Internal(f)
	return k.memfds, nil
}

// addSeals seals d's file. EBUSY: it may not be written any more, but is mapped
// so that it can be.
func (d *desc) addSeals(seals int) syscall.Errno {
	const all = fs.SealSeal | fs.SealShrink | fs.SealGrow | fs.SealWrite | fs.SealFutureWrite | fs.SealExec
	f, ok := d.file.(fs.SealFile)
	switch {
	case !d.writable():
		return syscall.EPERM
	case !ok || d.kind != syscall.S_IFREG || seals&^all != 0:
		return syscall.EINVAL
	case f.Seals()&fs.SealSeal != 0:
		return syscall.EPERM
	}
	e := d.maps.with(d.dentry.Node(), func(m *mappedFile) syscall.Errno {
		if seals&fs.SealWrite != 0 && slices.ContainsFunc(m.users, func(m *mapping) bool { return m.shared && m.desc.writable() }) {
			return syscall.EBUSY
		}
		return 0
	})
	if e != 0 {
		return e
	}
	return errno(f.AddSeals(uint32(seals)))
}

// sealed tells if d's file takes no writes by seals.
func (d *desc) sealed() bool {
	f, ok := d.file.(fs.SealFile)
	return ok && d.kind == syscall.S_IFREG && f.Seals()&(fs.SealWrite|fs.SealFutureWrite) != 0
}
