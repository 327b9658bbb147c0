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

// msRdonly is MS_RDONLY of mount(2).
const msRdonly = 1

// Mount mounts a new file system of one of the types that k.FileSystems
// knows, else ENODEV. One that says so itself is mounted for reading only.
func (k *Kernel) Mount(source, target, fstype string, flags uintptr, data string) syscall.Errno {
	if flags&^msRdonly != 0 {
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

// Unmount takes away what is mounted at target; no flags are supported.
func (k *Kernel) Unmount(target string, flags int) syscall.Errno {
	if flags != 0 {
		return syscall.EINVAL
	}
	b, e := k.base(AT_FDCWD, target)
	if e != 0 {
		return e
	}
	defer b.done()
	return errno(k.vfs.Unmount(b.Base, target))
}
