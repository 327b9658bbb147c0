package main

import (
	"os"
	"sync"
	"time"
)

// pipe counts a byte that goes through a pipe, with nobody waiting, and with a
// goroutine that waits at the other end.
func (c *counter) pipe() {
	r, w, err := os.Pipe()
	if err != nil {
		if c.err == nil {
			c.err = err
		}
		return
	}
	defer r.Close()
	b, got := []byte{0}, []byte{0}
	c.count("pipe byte", 200, func() error {
		if _, err := w.Write(b); err != nil {
			return err
		}
		_, err := r.Read(got)
		return err
	})
	back, answer, err := os.Pipe()
	if err != nil {
		if c.err == nil {
			c.err = err
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
	c.count("pipe there and back", 100, func() error {
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
func (c *counter) runtime() {
	there, back := make(chan int), make(chan int)
	go func() {
		for v := range there {
			back <- v
		}
	}()
	// Two handovers in each: the value is that of both.
	c.count("channel there and back", 200, func() error { there <- 1; <-back; return nil })
	close(there)
	var wg sync.WaitGroup
	c.count("goroutine", 200, func() error {
		wg.Add(1)
		go wg.Done()
		wg.Wait()
		return nil
	})
	c.count("sleep 1 µs", 200, func() error { time.Sleep(time.Microsecond); return nil })
	c.count("time.Now", 200, func() error { _ = time.Now(); return nil })
	c.count("allocate 1 KiB", 200, func() error { sink = make([]byte, 1024); return nil })
	var mu sync.Mutex
	c.count("mutex", 200, func() error { mu.Lock(); mu.Unlock(); return nil }) //nolint:staticcheck // it is what is counted
}
