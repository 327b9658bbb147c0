package toolchain

import (
	"context"
	"fmt"
	"os"
	"syscall"
)

// lock takes the lock file name for this process, calling waiting first when
// another holds it. The lock goes with the process that holds it, so that
// none is left behind by one that dies.
func lock(ctx context.Context, name string, waiting func()) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK {
		waiting()
		return lockWait(ctx, f)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return func() { f.Close() }, nil
}

func lockWait(ctx context.Context, f *os.File) (unlock func(), err error) {
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
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		return func() { f.Close() }, nil
	case <-ctx.Done():
		// The wait cannot be taken back, so that it keeps the file until
		// it ends or the process does.
		go func() { <-done; f.Close() }()
		return nil, ctx.Err()
	}
}
