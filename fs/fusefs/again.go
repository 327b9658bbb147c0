package fusefs

import (
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// What a program has let go of, the server can use. Its descriptors, and the
// space of what was removed, are free only when it knows that files were closed
// and nodes are not used any more; RELEASE and FORGET, which tell it, are held
// back here for a while, to wake it less often. So before the program is told
// that there are no descriptors or is no space, they go out, and the request is
// sent again.

// attempt is what a request remembers that may be sent more than once.
type attempt struct {
	tries  int    // that ended with EMFILE or ENFILE
	shrunk uint64 // of FS.files, before the last one
	lacked error  // ENOSPC or EDQUOT, of the first one
}

// again reports whether a request of op, which the server has answered with
// err, should be sent again.
func (f *FS) again(op uint32, err error, a *attempt) bool {
	switch {
	case op == fuse.FUSE_RELEASE || op == fuse.FUSE_RELEASEDIR:
		return false // others may be waiting for it here
	case err == syscall.EMFILE || err == syscall.ENFILE:
		a.tries++
		return f.findFiles(op, err, a)
	case (err == syscall.ENOSPC || err == syscall.EDQUOT) && a.lacked == nil && takesSpace(op):
		a.lacked = err
		f.settle()
		return true
	}
	return false
}

// result is the error of a request whose last answer was err. One that makes a
// name may have made it before it found that there is no space for the rest.
func (a *attempt) result(err error) error {
	if err == syscall.EEXIST && a.lacked != nil {
		return a.lacked
	}
	return err
}

// takesSpace tells if op may fail for want of space and do its work when it is
// sent again. FLUSH, FSYNC, FSYNCDIR and SYNCFS may fail so too, but for data
// that the server had taken before and has lost: they would succeed the second
// time, and hide it.
func takesSpace(op uint32) bool {
	switch op {
	case fuse.FUSE_WRITE, fuse.FUSE_FALLOCATE, fuse.FUSE_COPY_FILE_RANGE, fuse.FUSE_SETATTR,
		fuse.FUSE_OPEN, fuse.FUSE_CREATE, fuse.FUSE_TMPFILE, fuse.FUSE_MKNOD, fuse.FUSE_MKDIR, fuse.FUSE_SYMLINK,
		fuse.FUSE_LINK, fuse.FUSE_RENAME, fuse.FUSE_RENAME2, fuse.FUSE_UNLINK, fuse.FUSE_RMDIR,
		fuse.FUSE_SETXATTR, fuse.FUSE_REMOVEXATTR:
		return true
	}
	return false
}

// settle tells the server what has been released and is not used any more, and
// returns when it has got round to it. No release may depend on its caller.
func (f *FS) settle() {
	f.releases.settle()
	f.drain()
}

// drainTime is how long a server is given to forget if nobody can tell when it
// has.
const drainTime = 10 * time.Millisecond

// drain waits until the server has got round to what it was told to forget.
func (f *FS) drain() {
	f.flushForgets()
	if d, ok := f.t.(fuse.Drainer); ok {
		d.Drain()
	} else {
		time.Sleep(drainTime)
	}
}
