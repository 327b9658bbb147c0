package syscalls

import "syscall"

// FcntlFlock answers ENOSYS: no file system has record locks.
func (k *Kernel) FcntlFlock(fd, cmd int, lk *syscall.Flock_t) syscall.Errno { return syscall.ENOSYS }

// Flock answers ENOSYS.
func (k *Kernel) Flock(fd, how int) syscall.Errno { return syscall.ENOSYS }

func (k *Kernel) Fallocate(fd int, mode uint32, off, n int64) syscall.Errno { return syscall.ENOSYS }

func (k *Kernel) CopyFileRange(rfd int, roff *int64, wfd int, woff *int64, n int, flags int) (int, syscall.Errno) {
	return 0, syscall.ENOSYS
}

func (k *Kernel) Getxattr(path, attr string, dest []byte, nofollow bool) (int, syscall.Errno) {
	return 0, syscall.ENOSYS
}

func (k *Kernel) Setxattr(path, attr string, data []byte, flags int, nofollow bool) syscall.Errno {
	return syscall.ENOSYS
}

func (k *Kernel) Listxattr(path string, dest []byte, nofollow bool) (int, syscall.Errno) {
	return 0, syscall.ENOSYS
}

func (k *Kernel) Removexattr(path, attr string, nofollow bool) syscall.Errno { return syscall.ENOSYS }

func (k *Kernel) Fgetxattr(fd int, attr string, dest []byte) (int, syscall.Errno) {
	return 0, syscall.ENOSYS
}

func (k *Kernel) Fsetxattr(fd int, attr string, data []byte, flags int) syscall.Errno {
	return syscall.ENOSYS
}

func (k *Kernel) Flistxattr(fd int, dest []byte) (int, syscall.Errno) { return 0, syscall.ENOSYS }

func (k *Kernel) Fremovexattr(fd int, attr string) syscall.Errno { return syscall.ENOSYS }
