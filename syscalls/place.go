package syscalls

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Getcwd is the path of the working directory; ENOENT if it was removed.
func (k *Kernel) Getcwd() (string, syscall.Errno) {
	k.places.RLock()
	defer k.places.RUnlock()
	if k.cwd == nil {
		return "/", 0
	}
	path, err := k.vfs.Path(k.root, k.cwd)
	return path, errno(err)
}

// Chdir makes path the working directory.
func (k *Kernel) Chdir(path string) syscall.Errno {
	d, e := k.directory(path)
	if e == 0 {
		k.setCwd(d)
	}
	return e
}

// Fchdir makes the open directory the working directory.
func (k *Kernel) Fchdir(fd int) syscall.Errno {
	d, e := k.table.get(fd)
	if e != 0 {
		return e
	}
	defer d.put()
	if d.kind != syscall.S_IFDIR {
		return syscall.ENOTDIR
	}
	d.dentry.Ref()
	k.setCwd(d.dentry)
	return 0
}

func (k *Kernel) setCwd(d *fs.Dentry) {
	k.places.Lock()
	old := k.cwd
	k.cwd = d
	k.places.Unlock()
	if old != nil {
		old.Put()
	}
}

// directory returns the directory at path with a reference.
func (k *Kernel) directory(path string) (*fs.Dentry, syscall.Errno) {
	b, e := k.base(AT_FDCWD, path)
	if e != 0 {
		return nil, e
	}
	defer b.done()
	d, err := k.vfs.Walk(b.Base, path, true)
	if err != nil {
		return nil, errno(err)
	}
	if d.Kind() != syscall.S_IFDIR {
		d.Put()
		return nil, syscall.ENOTDIR
	}
	return d, 0
}

// Chroot makes path the root directory.
func (k *Kernel) Chroot(path string) syscall.Errno {
	d, e := k.directory(path)
	if e != 0 {
		return e
	}
	k.places.Lock()
	old := k.root
	k.root = d
	k.chrooted.Store(true)
	k.places.Unlock()
	if old != nil {
		old.Put()
	}
	return 0
}

// Umask sets the permission bits that new files do not get.
func (k *Kernel) Umask(mask int) int { return int(k.umask.Swap(uint32(mask) & 0o777)) }

// Shutdown writes back everything, and closes all file systems. No call may
// follow.
func (k *Kernel) Shutdown() error {
	k.maps.flushAll()
	return k.vfs.Shutdown()
}

// Flags of mount(2). All but the first are taken and change nothing: they forbid what
// there is not (other users, devices of theirs, other programs), or are about times
// and caches. Old programs add a number that means nothing.
const (
	msRdonly  = 1
	msIgnored = 0x2 | // MS_NOSUID
		0x4 | // MS_NODEV
		0x8 | // MS_NOEXEC
		0x10 | // MS_SYNCHRONOUS
		0x80 | // MS_DIRSYNC
		0x400 | // MS_NOATIME
		0x800 | // MS_NODIRATIME
		0x8000 | // MS_SILENT
		0x200000 | // MS_RELATIME
		0x1000000 | // MS_STRICTATIME
		0x2000000 // MS_LAZYTIME

	msMagic     = 0xc0ed0000
	msMagicMask = 0xffff0000
)

// Mount mounts a new file system of one of the types that k.FileSystems
// knows, else ENODEV. One that says so itself is mounted for reading only. EINVAL:
// flags ask for something else, such as a second place for what is there (MS_BIND).
func (k *Kernel) Mount(source, target, fstype string, flags uintptr, data string) syscall.Errno {
	if flags&msMagicMask == msMagic {
		flags &^= msMagicMask
	}
	if flags&^(msRdonly|msIgnored) != 0 {
		return syscall.EINVAL
	}
	if k.FileSystems == nil {
		return syscall.ENODEV
	}
	b, e := k.base(AT_FDCWD, target)
	if e != 0 {
		return e
	}
	defer b.done()
	k.vfs.CloseDetached() // which may have what is to be mounted
	f, err := k.FileSystems(fstype, source, data)
	if err != nil {
		return errno(err)
	}
	limited, ok := f.(interface{ ReadOnly() bool })
	readOnly := flags&msRdonly != 0 || ok && limited.ReadOnly()
	err = k.vfs.Mount(b.Base, target, f, fs.MountOptions{Source: source, ReadOnly: readOnly})
	if err != nil {
		f.Close()
	}
	return errno(err)
}

// Flags of umount2(2). MNT_FORCE ends calls on servers that are gone, which end by
// themselves here.
const (
	mntForce       = 1
	mntDetach      = 2
	umountNoFollow = 8
)

// Unmount takes away what is mounted at target. EINVAL: flags has MNT_EXPIRE.
func (k *Kernel) Unmount(target string, flags int) syscall.Errno {
	if flags&^(mntForce|mntDetach|umountNoFollow) != 0 {
		return syscall.EINVAL
	}
	b, e := k.base(AT_FDCWD, target)
	if e != 0 {
		return e
	}
	defer b.done()
	return errno(k.vfs.UnmountWith(b.Base, target, fs.UnmountOptions{
		Detach: flags&mntDetach != 0, NoFollow: flags&umountNoFollow != 0,
	}))
}
