//go:build tamago

package poll

import "syscall"

func supportCopyFileRange() bool { return true }

const maxCopyFileRangeRound = 1 << 30

// handleCopyFileRangeErr says whether the call with these results was the right
// one for the two files; reading and writing is the other way.
func handleCopyFileRangeErr(err error, copied, written int64) (bool, error) {
	switch err {
	case syscall.EBADF, syscall.EINVAL, syscall.EIO, syscall.ENOSYS, syscall.EOPNOTSUPP, syscall.EPERM, syscall.EXDEV:
		return false, nil
	case nil:
		// A file that is made as it is read has no size: nothing can be copied
		// from it, but there may be something to read.
		return copied > 0 || written > 0, nil
	}
	return true, err
}
