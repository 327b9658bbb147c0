package fstest

import (
	"runtime"
	"testing"
)

// GrowIn makes the files in a directory of this machine, for which it takes the
// superuser.
func GrowIn(t testing.TB, dir string, files []File) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		defer close(done)
		if err := Chroot(dir); err != nil {
			done <- err
			return
		}
		Grow(t, Linux{}, files)
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
