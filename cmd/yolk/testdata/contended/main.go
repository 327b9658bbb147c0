// Command contended has goroutines wait for a lock of its own, and for one of the
// kernel's: that of the position of an open file, which is held while the server writes.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	if err := contend(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	switch os.Args[1] {
	case "exit":
		os.Exit(3)
	case "wait":
		fmt.Println("waits")
		time.Sleep(time.Hour)
	}
}

func contend() error {
	mine()
	return kernels()
}

// kernels writes by one descriptor in two goroutines until one of them waits for the other's
// write. How long that takes is up to the server: who has its answer at once goes on at once.
func kernels() error {
	fd, err := syscall.Open("/file", syscall.O_CREAT|syscall.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	var wg sync.WaitGroup
	var over atomic.Bool
	errs := make([]error, 2)
	for i := range errs {
		wg.Go(func() {
			for !over.Load() && errs[i] == nil {
				_, errs[i] = syscall.Write(fd, []byte("some bytes"))
			}
		})
	}
	untilWaits("yolk/syscalls.")
	over.Store(true)
	wg.Wait()
	return errors.Join(errs...)
}

// mine holds a lock until another goroutine waits for it.
//
//go:noinline
func mine() {
	var mu sync.Mutex
	mu.Lock()
	var wg sync.WaitGroup
	wg.Go(func() {
		mu.Lock()
		mu.Unlock() //nolint:staticcheck // to have waited is all
	})
	untilWaits("main.mine")
	mu.Unlock()
	wg.Wait()
}

// untilWaits returns when a goroutine waits for a mutex in a function.
func untilWaits(function string) {
	for stacks := make([]byte, 1<<16); ; runtime.Gosched() {
		n := runtime.Stack(stacks, true)
		for one := range bytes.SplitSeq(stacks[:n], []byte("\n\n")) {
			if bytes.Contains(one, []byte("[sync.Mutex.Lock")) && bytes.Contains(one, []byte(function)) {
				return
			}
		}
	}
}
