package anonfs

import (
	"encoding/binary"
	"math"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Eventfd is the file of eventfd(2): a counter that writes add to and reads
// take from.
type Eventfd struct {
	stream
	semaphore bool // a read takes 1

	mu    sync.Mutex
	count uint64
	queue fs.WaitQueue
}

// NewEventfd makes a counter.
func NewEventfd(count uint64, semaphore bool) *Eventfd {
	e := &Eventfd{semaphore: semaphore, count: count}
	e.do = e
	return e
}

// Inside implements fs.InsideFile.
func (e *Eventfd) Inside() bool { return true }

func (e *Eventfd) readNow(p []byte) (int, error) {
	if len(p) < 8 {
		return 0, syscall.EINVAL
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	n := e.count
	switch {
	case n == 0:
		return 0, syscall.EAGAIN
	case e.semaphore:
		n = 1
	}
	e.count -= n
	e.queue.Wake(fs.PollOut)
	return putCount(p, n)
}

// writeNow adds the number in p. The counter can have any value but the last.
func (e *Eventfd) writeNow(p []byte) (int, error) {
	if len(p) != 8 {
		return 0, syscall.EINVAL
	}
	n := binary.NativeEndian.Uint64(p)
	if n == math.MaxUint64 {
		return 0, syscall.EINVAL
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if n >= math.MaxUint64-e.count {
		return 0, syscall.EAGAIN
	}
	e.count += n
	e.queue.Wake(fs.PollIn)
	return 8, nil
}

// WriteUntil implements fs.Interruptible. That there is room for 1 does not say
// that there is for more: it waits for reads.
func (e *Eventfd) WriteUntil(p []byte, end <-chan struct{}) (int, error) {
	read := make(chan struct{}, 1)
	w := fs.Waiter{Wake: func(uint32) bool {
		select {
		case read <- struct{}{}:
		default:
		}
		return true
	}}
	n, err := e.writeNow(p)
	if err != syscall.EAGAIN {
		return n, err
	}
	e.queue.Add(&w, fs.PollOut)
	defer w.Stop()
	for {
		if n, err := e.writeNow(p); err != syscall.EAGAIN {
			return n, err
		}
		select {
		case <-read:
		case <-end:
			return 0, syscall.EINTR
		}
	}
}

// Write implements fs.Stream.
func (e *Eventfd) Write(p []byte) (int, error) { return e.WriteUntil(p, nil) }

// Poll implements fs.PollFile.
func (e *Eventfd) Poll(events uint32) (uint32, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var now uint32
	if e.count > 0 {
		now |= fs.PollIn
	}
	if e.count < math.MaxUint64-1 {
		now |= fs.PollOut
	}
	return now & events, nil
}

// Watch implements fs.NotifyFile.
func (e *Eventfd) Watch(w *fs.Waiter) bool {
	e.queue.Add(w, fs.PollIn|fs.PollOut|fs.PollErr|fs.PollHup)
	return true
}
