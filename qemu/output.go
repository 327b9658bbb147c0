package qemu

import (
	"errors"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// output is where some of the guest's streams go. Those of one file, terminal
// or pipe share an output, which keeps their order.
type output struct {
	w  io.Writer // nil: nowhere
	fd int       // of a file: a descriptor of its own; -1: w is none
	// hangsUp: it is a pipe or socket, whose other end nobody can open again
	hangsUp bool
	pipe    bool
}

// newOutput makes an output for w. A file is written to by its descriptor: the
// package os ends this process when a pipe at 1 or 2 is closed, and returns
// EAGAIN when somebody else has made the file non-blocking.
func newOutput(w io.Writer) *output {
	o := &output{w: w, fd: -1}
	f, ok := w.(*os.File)
	if !ok {
		return o
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return o
	}
	// Without a descriptor left, it is written to as other writers are.
	_ = conn.Control(func(fd uintptr) {
		if fd, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			o.fd = fd
		}
	})
	link, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(o.fd))
	o.pipe = strings.HasPrefix(link, "pipe:")
	o.hangsUp = o.pipe || strings.HasPrefix(link, "socket:")
	return o
}

// close must not be called while somebody writes.
func (o *output) close() {
	if o.fd >= 0 {
		unix.Close(o.fd)
		o.fd = -1
	}
}

// Write writes all of p, however slowly it is taken.
func (o *output) Write(p []byte) (n int, err error) {
	switch {
	case o.fd < 0 && o.w == nil:
		return len(p), nil
	case o.fd < 0:
		return o.w.Write(p)
	}
	for n < len(p) {
		k, err := unix.Write(o.fd, p[n:])
		switch {
		case err == unix.EAGAIN:
			err = waitFor(o.fd, unix.POLLOUT)
			if err != nil {
				return n, err
			}
		case err == unix.EINTR:
		case err != nil:
			return n, err
		default:
			n += k
		}
	}
	return n, nil
}

// waitFor waits for one of the events, or for an error, of a descriptor.
func waitFor(fd int, events int16) error {
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: events}}, -1)
		if err != unix.EINTR {
			return err
		}
	}
}

// errnoOf is the error number that a program of the guest shall see.
func errnoOf(err error) unix.Errno {
	var errno unix.Errno
	switch {
	case errors.As(err, &errno):
		return errno
	case errors.Is(err, io.ErrClosedPipe):
		return unix.EPIPE
	}
	return unix.EIO
}

// sameOutput reports whether what is written to a and b ends up in one file,
// terminal or pipe.
func sameOutput(a, b io.Writer) bool {
	if a == nil || b == nil {
		return false
	}
	f, ok := a.(*os.File)
	g, both := b.(*os.File)
	if ok && both {
		x, err := f.Stat()
		y, err2 := g.Stat()
		return err == nil && err2 == nil && os.SameFile(x, y)
	}
	return !ok && !both && reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
}
