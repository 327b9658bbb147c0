//go:build tamago

package syscall

// Mmap maps length bytes of a file from offset. [Munmap] takes the slice as
// Mmap returned it.
func Mmap(fd int, offset int64, length int, prot int, flags int) (data []byte, err error) {
	m, ok := kernel.(Mapper)
	if !ok {
		return nil, ENOSYS
	}
	if length <= 0 {
		return nil, EINVAL
	}
	data, e := m.Mmap(fd, offset, length, prot, flags)
	if e != 0 {
		return nil, errnoErr(e)
	}
	return data, nil
}

func Munmap(b []byte) error {
	m, ok := kernel.(Mapper)
	if !ok {
		return ENOSYS
	}
	return errnoErr(m.Munmap(b))
}

func Msync(b []byte, flags int) error {
	m, ok := kernel.(Mapper)
	if !ok {
		return ENOSYS
	}
	return errnoErr(m.Msync(b, flags))
}

func Mprotect(b []byte, prot int) error {
	m, ok := kernel.(Mapper)
	if !ok {
		return ENOSYS
	}
	return errnoErr(m.Mprotect(b, prot))
}

// Madvise takes the advice that changes nothing but speed.
func Madvise(b []byte, advice int) error {
	if advice < MADV_NORMAL || advice > MADV_WILLNEED {
		return EINVAL
	}
	return nil
}

// Memory is never swapped out.

func Mlock(b []byte) error     { return nil }
func Munlock(b []byte) error   { return nil }
func Mlockall(flags int) error { return nil }
func Munlockall() error        { return nil }
