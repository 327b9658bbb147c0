//go:build tamago

package poll

import (
	"sync/atomic"
	"syscall"
	"time"
	_ "unsafe" // for go:linkname
)

// Reads and writes block in the kernel's Go code, which parks the goroutine.
// They come back with EAGAIN when the descriptor is closed or its deadline has
// passed, upon which fd_unix.go asks the pollDesc.

//go:linkname kernelWait syscall.waitIO
func kernelWait(fd int, mode int) error

//go:linkname kernelInterrupt syscall.interruptIO
func kernelInterrupt(fd int)

//go:linkname kernelSetDeadline syscall.deadlineIO
func kernelSetDeadline(fd int, mode int, ns int64) error

type pollDesc struct {
	fd      *FD // nil if the file never blocks
	closing atomic.Bool
}

// init returns an error for a file that never blocks, and for one that has been here.
func (pd *pollDesc) init(fd *FD) error {
	if pd.fd != nil {
		return syscall.EEXIST
	}
	if err := kernelSetDeadline(fd.Sysfd, 'r'+'w', 0); err != nil {
		return err
	}
	pd.fd = fd
	return nil
}

func (pd *pollDesc) close() {}

func (pd *pollDesc) evict() {
	if pd.fd != nil {
		pd.closing.Store(true)
		kernelInterrupt(pd.fd.Sysfd)
	}
}

func (pd *pollDesc) pollable() bool { return pd.fd != nil }

// prepareRead and prepareWrite come before the call, which fails by itself if
// it has to.

func (pd *pollDesc) prepareRead(isFile bool) error  { return pd.prepare(isFile) }
func (pd *pollDesc) prepareWrite(isFile bool) error { return pd.prepare(isFile) }

func (pd *pollDesc) prepare(isFile bool) error {
	if pd.closing.Load() {
		return errClosing(isFile)
	}
	return nil
}

func (pd *pollDesc) waitRead(isFile bool) error  { return pd.wait('r', isFile) }
func (pd *pollDesc) waitWrite(isFile bool) error { return pd.wait('w', isFile) }

func (pd *pollDesc) wait(mode int, isFile bool) error {
	if pd.fd == nil {
		return ErrNotPollable
	}
	err := kernelWait(pd.fd.Sysfd, mode)
	switch {
	case pd.closing.Load():
		return errClosing(isFile)
	case err == syscall.ETIMEDOUT:
		return ErrDeadlineExceeded
	}
	return err
}

// SetDeadline sets the read and write deadlines of fd.
func (fd *FD) SetDeadline(t time.Time) error { return fd.setDeadline(t, 'r'+'w') }

// SetReadDeadline sets the read deadline of fd.
func (fd *FD) SetReadDeadline(t time.Time) error { return fd.setDeadline(t, 'r') }

// SetWriteDeadline sets the write deadline of fd.
func (fd *FD) SetWriteDeadline(t time.Time) error { return fd.setDeadline(t, 'w') }

func (fd *FD) setDeadline(t time.Time, mode int) error {
	if err := fd.incref(); err != nil {
		return err
	}
	defer fd.decref()
	if fd.pd.fd == nil {
		return ErrNoDeadline
	}
	ns := int64(0)
	if !t.IsZero() {
		if ns = int64(time.Until(t)); ns == 0 {
			ns = -1
		}
	}
	err := kernelSetDeadline(fd.Sysfd, mode, ns)
	if err == syscall.EOPNOTSUPP {
		err = ErrNoDeadline
	}
	return err
}

// IsPollDescriptor reports whether fd is the poller's own, of which it has none.
func IsPollDescriptor(fd uintptr) bool { return false }
