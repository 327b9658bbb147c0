package fs

import "sync"

// NotifyFile is a PollFile that tells when its readiness may have changed. Else:
// it is asked again after a while.
//
// Whoever waits puts a Waiter into the queue first and then calls Poll, so that
// no change is missed between the two.
type NotifyFile interface {
	PollFile
	// Watch puts w into the file's queue. False: this file cannot tell.
	Watch(w *Waiter) bool
}

// Waiter is somebody who waits for files to become ready, in one WaitQueue at a
// time.
type Waiter struct {
	// Wake is called when events (Poll constants) may have come to hold. It
	// must not block, and not call the file, since that may hold its locks. The
	// result says whether somebody was woken, for Exclusive. nil: woken is sent to.
	Wake func(events uint32) bool
	// Exclusive: of all such Waiters of a queue one is enough.
	Exclusive bool

	queue      *WaitQueue
	prev, next *Waiter
	events     uint32

	only  uint32        // what it is told of alone; 0: all that the file gives to Add
	woken chan struct{} // the queue's, where Wake is nil
}

// Stop takes w out of its queue, if it is in one. Wake is not called any more
// when it returns, so that the caller must hold no lock that Wake takes.
func (w *Waiter) Stop() {
	q := w.queue
	if q == nil {
		return
	}
	q.mu.Lock()
	*w.link() = w.next
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		q.last = w.prev
	}
	w.queue, w.prev, w.next = nil, nil, nil
	if w.woken != nil {
		select { // what came meanwhile
		case <-w.woken:
		default:
		}
		q.spare, w.woken = w.woken, nil
	}
	q.mu.Unlock()
}

// wake tells w, and whether that has woken somebody.
func (w *Waiter) wake(events uint32) bool {
	if w.Wake != nil {
		return w.Wake(events)
	}
	select {
	case w.woken <- struct{}{}:
		return true
	default:
		return false
	}
}

// link is what points to w in its queue.
func (w *Waiter) link() **Waiter {
	if w.prev == nil {
		return &w.queue.first
	}
	return &w.prev.next
}

// WaitQueue is whom a file tells of its readiness. The zero value is an empty
// queue.
type WaitQueue struct {
	mu          sync.Mutex // while it is held, Wake functions take locks of their own
	first, last *Waiter
	spare       chan struct{} // for the next Waiter that needs one; nil: none
}

// Add puts w, which is in no queue, at the end if it is exclusive, and else at the
// beginning, as Linux does: in that order they are told. It is told only of those
// changes that have one of events in them, as Wake gets them.
func (q *WaitQueue) Add(w *Waiter, events uint32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.only != 0 {
		events &= w.only
	}
	w.queue, w.events = q, events
	if w.Wake == nil {
		if w.woken, q.spare = q.spare, nil; w.woken == nil {
			w.woken = make(chan struct{}, 1)
		}
	}
	w.prev, w.next = nil, q.first
	if w.Exclusive {
		w.prev, w.next = q.last, nil
	}
	*w.link() = w
	if w.next != nil {
		w.next.prev = w
	} else {
		q.last = w
	}
}

// Wake tells those in the queue that events may have come to hold. A file calls
// it behind the change, with or without its locks.
func (q *WaitQueue) Wake(events uint32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken := false
	for w := q.first; w != nil; w = w.next {
		if w.events&events == 0 || w.Exclusive && taken {
			continue
		}
		if w.wake(events) && w.Exclusive {
			taken = true
		}
	}
}

// Events that a reader or a writer may wait for.
const (
	PollReads  = PollIn | PollRdNorm | PollPri | PollErr | PollHup | PollRdHup
	PollWrites = PollOut | PollWrNorm | PollErr | PollHup
)
