//go:build tamago

package syscall

import (
	errorspkg "errors"
	"internal/oserror"
	"internal/strconv"
)

// An Errno is an error number of Linux, 0 for none. Code that gets one from a
// call turns it into an error only if it is not 0:
//
//	if errno != 0 {
//		err = errno
//	}
//
// [errors.Is] compares an Errno with the errors of package os.
type Errno uintptr

func (e Errno) Error() string {
	if e < Errno(len(errnoText)) && errnoText[e] != "" {
		return errnoText[e]
	}
	return "errno " + strconv.Itoa(int(e))
}

// Is reports whether e is one of the errors that target stands for.
func (e Errno) Is(target error) bool {
	switch target {
	case oserror.ErrNotExist:
		return e == ENOENT
	case oserror.ErrExist:
		return e == EEXIST || e == ENOTEMPTY
	case oserror.ErrPermission:
		return e == EPERM || e == EACCES
	case errorspkg.ErrUnsupported:
		return e == ENOSYS || e == EOPNOTSUPP
	}
	return false
}

// Temporary reports whether the call may succeed when it is repeated.
func (e Errno) Temporary() bool {
	return e == EINTR || e == EMFILE || e == ENFILE || e.Timeout()
}

// Timeout reports whether e says that time has run out.
func (e Errno) Timeout() bool { return e == EAGAIN || e == ETIMEDOUT }

// The commonest errors as error values, so that returning them needs no
// allocation.
var (
	errEAGAIN error = EAGAIN
	errEEXIST error = EEXIST
	errEINVAL error = EINVAL
	errENOENT error = ENOENT
	errENOSYS error = ENOSYS
)

// errnoErr returns e as an error, nil for 0.
func errnoErr(e Errno) error {
	switch e {
	case 0:
		return nil
	case EAGAIN:
		return errEAGAIN
	case EEXIST:
		return errEEXIST
	case EINVAL:
		return errEINVAL
	case ENOENT:
		return errENOENT
	case ENOSYS:
		return errENOSYS
	}
	return e
}
