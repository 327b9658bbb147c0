package main

import (
	"os"
	"sync"
	"time"
)

// pipe counts a byte that goes through a pipe, with nobody waiting, and with a
// goroutine that waits at the other end.
func (c counter) pipe() {
	r, w, err := os.Pipe()
	if err != nil {
		if c.Err == nil {
			c.Err = err
		}
		return
	}
	defer r.Close()
	b, got := []byte{0}, []byte{0}
	c.Count("pipe byte", 200, func() error {
		if _, err := w.Write(b); err != nil {
			return err
		}
		_, err := r.Read(got)
		return err
	})
	back, answer, err := os.Pipe()
	if err != nil {
		if c.Err == nil {
			c.Err = err
		}
		return
	}
	defer back.Close()
	var wg sync.WaitGroup
	wg.Go(func() { // answers each byte
		defer answer.Close()
		b := []byte{0}
		for {
			if n, _ := r.Read(b); n == 0 {
				return
			}
			if _, err := answer.Write(b); err != nil {
				return
			}
		}
	})
	c.Count("pipe there and back", 100, func() error {
		if _, err := w.Write(b); err != nil {
			return err
		}
		_, err := back.Read(got)
		return err
	})
	w.Close()
	wg.Wait()
}

// sink keeps what is allocated on the heap.
var sink []byte

// runtime counts the runtime's own primitives.
func (c counter) runtime() {
	there, back := make(chan int), make(chan int)
	go func() {
		for v := range there {
			back <- v
		}
	}()
	// Two handovers in each: the value is that of both.
	c.Count("channel there and back", 200, func() error { there <- 1; <-back; return nil })
	close(there)
	var wg sync.WaitGroup
	c.Count("goroutine", 200, func() error {
		wg.Add(1)
		go wg.Done()
		wg.Wait()
		return nil
	})
	c.Count("sleep 1 µs", 200, func() error { time.Sleep(time.Microsecond); return nil })
	c.Count("time.Now", 200, func() error { _ = time.Now(); return nil })
	c.Count("allocate 1 KiB", 200, func() error { sink = make([]byte, 1024); return nil })
	var mu sync.Mutex
	c.Count("mutex", 200, func() error { mu.Lock(); mu.Unlock(); return nil }) //nolint:staticcheck // it is what is counted
}
