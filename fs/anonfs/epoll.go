package anonfs

import (
	"sync"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
)

// Epoll is the file of epoll(7): a set of interests in other files, and a list of
// those of them that may be ready.
//
// An interest goes on the list when its file tells of a change, and off it when
// Wait has looked. One that is ready goes on it again at the end, unless it is
// edge-triggered: then the next change brings it back. So all that are ready get
// their turn, and a Wait costs as much as is on the list.
//
// Lock order, outermost first: nesting, Epoll.mu (of one that contains another
// before that), locks of the files and their queues, Epoll.list, Epoll.queue.
type Epoll struct {
	file
	self *Target // nil as long as nobody is interested in it; under nesting

	mu        sync.Mutex // calls on the set
	interests map[key]*interest
	silent    int         // interests in files that do not tell of changes
	outside   int         // interests in files that are no fs.InsideFile
	ticker    *time.Timer // has them asked

	list    sync.Mutex // guards what follows
	ready   readyList
	sleeper []chan struct{} // of those who wait, in order; each gets one token at most

	queue fs.WaitQueue // of those who are interested in this
}

// Event is struct epoll_event.
type Event struct {
	Events uint32
	Data   uint64
}

// Operations of Control: EPOLL_CTL_.
const (
	Add    = 1
	Delete = 2
	Modify = 3
)

// Events and flags beyond those of poll(2): EPOLL constants.
const (
	Exclusive = 1 << 28
	wakeUp    = 1 << 29
	oneShot   = 1 << 30
	edge      = 1 << 31

	flags       = Exclusive | wakeUp | oneShot | edge
	exclusiveOK = fs.PollIn | fs.PollOut | fs.PollErr | fs.PollHup | wakeUp | edge | Exclusive
	unasked     = fs.PollErr | fs.PollHup
)

// NewEpoll makes an empty set.
func NewEpoll() *Epoll { return &Epoll{interests: make(map[key]*interest)} }

// Control adds, changes or removes the interest in t by the number fd. Event is
// nil for Delete.
func (e *Epoll) Control(op int, fd int, t *Target, event *Event) error {
	if op != Delete && event == nil {
		return syscall.EFAULT
	}
	if op != Delete && event.Events&Exclusive != 0 {
		if op == Modify || op == Add && (t.nest != nil || event.Events&^uint32(exclusiveOK) != 0) {
			return syscall.EINVAL
		}
	}
	if op == Add && t.nest != nil {
		nesting.Lock()
		defer nesting.Unlock()
		if tooDeep(e, t.nest) {
			return syscall.ELOOP
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	i := e.interests[key{t, fd}]
	switch op {
	case Add:
		if i != nil {
			return syscall.EEXIST
		}
		e.add(&interest{epoll: e, key: key{t, fd}, event: *event})
		return nil
	case Delete:
		if i == nil {
			return syscall.ENOENT
		}
		e.remove(i)
		return nil
	case Modify:
		if i == nil {
			return syscall.ENOENT
		}
		if i.event.Events&Exclusive != 0 {
			return syscall.EINVAL
		}
		e.modify(i, *event)
		return nil
	}
	return syscall.EINVAL
}

func (e *Epoll) add(i *interest) {
	e.interests[i.key] = i
	i.event.Events |= unasked
	i.target.enter(i)
	i.waiter.Wake = i.wake
	i.waiter.Exclusive = i.event.Events&Exclusive != 0
	if !i.target.file.Watch(&i.waiter) {
		i.silent = true
		if e.silent++; e.silent == 1 {
			e.ticker = time.AfterFunc(again, e.askSilent)
		}
	}
	if !i.inside() {
		// Who waits does so for another reason from now on.
		if e.outside++; e.outside == 1 {
			e.list.Lock()
			for e.wakeSleeper() {
			}
			e.list.Unlock()
		}
	}
	i.was = i.look()
}

func (e *Epoll) modify(i *interest, event Event) {
	event.Events |= unasked
	e.list.Lock() // wake reads it
	i.event = event
	e.list.Unlock()
	i.look()
}

// remove takes i out; e.mu is held.
func (e *Epoll) remove(i *interest) {
	i.waiter.Stop()
	i.target.leave(i)
	delete(e.interests, i.key)
	e.list.Lock()
	i.removed = true
	e.ready.remove(i)
	e.list.Unlock()
	if !i.inside() {
		e.outside--
	}
	if i.silent {
		if e.silent--; e.silent == 0 {
			e.ticker.Stop()
		}
	}
}

// again is after how long files are asked that do not tell of changes.
const again = 10 * time.Millisecond

// askSilent does for such files what others do themselves.
func (e *Epoll) askSilent() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, i := range e.interests {
		if !i.silent {
			continue
		}
		now := i.poll()
		if events := now &^ i.was; events != 0 {
			i.wake(events)
		}
		i.was = now
	}
	if e.silent > 0 {
		e.ticker.Reset(again)
	}
}

// Wait stores events of files that are ready in events, one each, and returns how
// many. If there are none, it waits for ns nanoseconds, for ever if ns < 0, or
// until end is closed: EINTR.
func (e *Epoll) Wait(events []Event, ns int64, end <-chan struct{}) (int, error) {
	if n := e.take(events); n > 0 || ns == 0 {
		return n, nil
	}
	var over <-chan time.Time // nil: never
	if ns > 0 {
		t := time.NewTimer(time.Duration(ns))
		defer t.Stop()
		over = t.C
	}
	token := make(chan struct{}, 1)
	for last := false; ; {
		var err error
		if e.sleep(token) && over == nil && end == nil {
			fs.Asleep(token)
		} else {
			select {
			case <-token:
			case <-over:
				last = true
			case <-end:
				last, err = true, syscall.EINTR
			}
		}
		e.rise(token)
		if n := e.take(events); n > 0 || last {
			if n > 0 {
				err = nil
			}
			return n, err
		}
	}
}

// take is Wait for what there is at once.
func (e *Epoll) take(events []Event) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list.Lock()
	defer e.list.Unlock()
	// What comes to the list from now on has to wait for the next call.
	todo := e.ready
	e.ready = readyList{}
	for n < len(events) {
		i := todo.pop()
		if i == nil {
			break
		}
		e.list.Unlock()
		now := i.poll()
		e.list.Lock()
		if now == 0 {
			continue
		}
		events[n] = Event{now, i.event.Data}
		n++
		switch {
		case i.event.Events&oneShot != 0:
			i.event.Events &= flags
		case i.event.Events&edge == 0:
			e.ready.push(i)
		}
	}
	e.ready.prepend(&todo)
	if e.ready.first != nil {
		e.wakeSleeper()
	}
	return n
}

// Poll implements fs.PollFile: an Epoll can be read if a file in it is ready.
func (e *Epoll) Poll(events uint32) (uint32, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list.Lock()
	defer e.list.Unlock()
	for {
		i := e.ready.pop()
		if i == nil {
			return 0, nil
		}
		e.list.Unlock()
		now := i.poll()
		e.list.Lock()
		if now != 0 {
			e.ready.unpop(i)
			return events & (fs.PollIn | fs.PollRdNorm), nil
		}
	}
}

// Watch implements fs.NotifyFile.
func (e *Epoll) Watch(w *fs.Waiter) bool {
	e.queue.Add(w, fs.PollReads)
	return true
}

// Release implements fs.File.
func (e *Epoll) Release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, i := range e.interests {
		e.remove(i)
	}
}

// sleep enters token among those who wait; it has a token at once if there may
// be something. It tells whether nothing can come but from inside (fs.InsideFile):
// before that changes, who waits gets a token.
func (e *Epoll) sleep(token chan struct{}) (inside bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list.Lock()
	defer e.list.Unlock()
	if e.ready.first != nil {
		token <- struct{}{}
	} else {
		e.sleeper = append(e.sleeper, token)
	}
	return e.outside == 0
}

// rise takes token from among those who wait. Had it been woken for something
// that it no longer waits for, what it does next is to look.
func (e *Epoll) rise(token chan struct{}) {
	e.list.Lock()
	defer e.list.Unlock()
	for n, s := range e.sleeper {
		if s == token {
			e.sleeper = append(e.sleeper[:n], e.sleeper[n+1:]...)
			break
		}
	}
	select {
	case <-token:
	default:
	}
}

// wakeSleeper wakes the first of those who wait, and tells if there is one;
// e.list is held.
func (e *Epoll) wakeSleeper() bool {
	if len(e.sleeper) == 0 {
		return false
	}
	e.sleeper[0] <- struct{}{}
	e.sleeper = e.sleeper[1:]
	return true
}

// Ioctl implements fs.IoctlFile: of an Epoll there are some, but none of them here.
func (e *Epoll) Ioctl(uint32, uint64, []byte, []byte) (int32, int, error) {
	return 0, 0, syscall.EINVAL
}
