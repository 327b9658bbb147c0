package fs

import (
	"syscall"
	"testing"
	"time"
)

// TestFIFOMeets: whoever opens a FIFO meets each peer that opens it from then
// on, even one that has closed it again before the waiter runs.
func TestFIFOMeets(t *testing.T) {
	var v VFS
	n := new(pipeNode)
	met := make(chan error, 2)
	open := func(flags int) {
		f, err := v.openFIFO(n, flags)
		if err == nil {
			f.Release()
		}
		met <- err
	}
	for i := range 100_000 {
		go open(syscall.O_RDONLY)
		go open(syscall.O_WRONLY)
		for range 2 {
			select {
			case err := <-met:
				if err != nil {
					t.Fatal(err)
				}
			case <-time.After(time.Minute):
				t.Fatalf("after %d meetings one waits for the other, which was there", i)
			}
		}
	}
}
