//go:build tamago

package unix

// The vectored calls are one call for each buffer: between two of them another
// goroutine's may come.

func Readv(fd int, iovs [][]byte) (n int, err error) {
	return each(iovs, func(b []byte, _ int) (int, error) { return Read(fd, b) })
}

func Writev(fd int, iovs [][]byte) (n int, err error) {
	return each(iovs, func(b []byte, _ int) (int, error) { return Write(fd, b) })
}

func Preadv(fd int, iovs [][]byte, offset int64) (n int, err error) {
	return each(iovs, func(b []byte, done int) (int, error) { return Pread(fd, b, offset+int64(done)) })
}

func Pwritev(fd int, iovs [][]byte, offset int64) (n int, err error) {
	return each(iovs, func(b []byte, done int) (int, error) { return Pwrite(fd, b, offset+int64(done)) })
}

// each calls f until a buffer is not done to its end. What was done before an
// error counts, and the error does not.
func each(iovs [][]byte, f func(b []byte, done int) (int, error)) (done int, err error) {
	for _, b := range iovs {
		n, err := f(b, done)
		if err != nil && done == 0 {
			return n, err
		}
		done += max(n, 0)
		if err != nil || n < len(b) {
			break
		}
	}
	return done, nil
}
