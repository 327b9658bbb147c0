package toolchain

import (
	"context"
	"fmt"
	"os"
	"syscall"
)

// lock takes the lock file name for this process, calling waiting first when
// another holds it. The lock goes with the process that holds it, so that
// none is left behind by one that dies. Who holds it may remove the file.
func lock(ctx context.Context, name string, waiting func()) (unlock func(), err error) {
	for {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, err
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == syscall.EWOULDBLOCK {
			waiting()
			err = lockWait(ctx, f)
		} else if err != nil {
			f.Close()
		}
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		if hasName(f) {
			return func() { f.Close() }, nil
		}
		f.Close() // the one before has removed it: there may be another by now
	}
}

// hasName reports whether a file is still the one of its name.
func hasName(f *os.File) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(f.Name())
	return err == nil && os.SameFile(mine, named)
}

// lockWait waits for the lock on f, which it closes with an error.
func lockWait(ctx context.Context, f *os.File) error {
	done := make(chan error, 1)
	go func() {
		for {
			err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
			if err != syscall.EINTR {
				done <- err
				return
			}
		}
	}()
	select {
	case err := <-done:
		if err != nil {
			f.Close()
		}
		return err
	case <-ctx.Done():
		// The wait cannot be taken back, so that it keeps the file until
		// it ends or the process does.
		go func() { <-done; f.Close() }()
		return context.Cause(ctx)
	}
}
