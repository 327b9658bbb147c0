//go:build tamago

package syscall

// Controller is a Kernel with calls that this package has no functions for.
// Package golang.org/x/sys/unix of a guest makes them.
type Controller interface {
	// Ioctl does a control operation. data is what arg points to, nil if arg is
	// a value; the request says how much of it there must be and who writes it.
	Ioctl(fd int, req uint32, arg uint64, data []byte) (val int, err Errno)
	// Poll waits, at most ns nanoseconds or for ever if ns < 0, until one of fds
	// is ready for one of its events. revents gets what for, n is how many are.
	Poll(fds []int32, events, revents []int16, ns int64) (n int, err Errno)
	// Statx fills stx with a struct statx.
	Statx(dirfd int, path string, flags int, mask uint32, stx []byte) Errno
}

func ioctl(fd int, req uint32, arg uint64, data []byte) (val int, err error) {
	c, ok := kernel.(Controller)
	if !ok {
		return -1, ENOSYS
	}
	return count(c.Ioctl(fd, req, arg, data))
}

func poll(fds []int32, events, revents []int16, ns int64) (n int, err error) {
	c, ok := kernel.(Controller)
	if !ok {
		return -1, ENOSYS
	}
	return count(c.Poll(fds, events, revents, ns))
}

func statx(dirfd int, path string, flags int, mask uint32, stx []byte) error {
	c, ok := kernel.(Controller)
	if !ok {
		return ENOSYS
	}
	return errnoErr(c.Statx(dirfd, path, flags, mask, stx))
}
