// Command contended has goroutines wait for a lock of its own, and for one of the
// kernel's: that of the position of an open file, which is held while the server writes.
package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"sync"
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
	fd, err := syscall.Open("/file", syscall.O_CREAT|syscall.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				if _, e := syscall.Write(fd, []byte("some bytes")); e != nil {
					err = e
				}
			}
		})
	}
	wg.Wait()
	return err
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
	stacks := make([]byte, 1<<16)
	for !bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("[sync.Mutex.Lock")) {
		runtime.Gosched()
	}
	mu.Unlock()
	wg.Wait()
}
