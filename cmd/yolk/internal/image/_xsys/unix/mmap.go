//go:build tamago

package unix

import "syscall"

func Mmap(fd int, offset int64, length int, prot int, flags int) (data []byte, err error) {
	return syscall.Mmap(fd, offset, length, prot, flags)
}

func Munmap(b []byte) error             { return syscall.Munmap(b) }
func Msync(b []byte, flags int) error   { return syscall.Msync(b, flags) }
func Mprotect(b []byte, prot int) error { return syscall.Mprotect(b, prot) }

// Memory is never swapped out, so all of it is locked.

func Mlock(b []byte) error     { return syscall.Mlock(b) }
func Munlock(b []byte) error   { return syscall.Munlock(b) }
func Mlockall(flags int) error { return syscall.Mlockall(flags) }
func Munlockall() error        { return syscall.Munlockall() }

// Madvise takes the advice that changes nothing but speed or what other
// processes see, and does not use it. Advice that changes what is in memory,
// as MADV_DONTNEED does, is EINVAL.
func Madvise(b []byte, advice int) error {
	switch advice {
	case MADV_FREE, MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK,
		MADV_COLD, MADV_PAGEOUT, MADV_COLLAPSE:
		return nil
	}
	return syscall.Madvise(b, advice)
}
