package anonfs

import (
	"sync"

	"github.com/yolkos/yolk/fs"
)

// Target is an open file description that Epolls are interested in.
type Target struct {
	file fs.NotifyFile
	nest *Epoll // the file, if it is one

	mu        sync.Mutex // the innermost of all
	interests map[*interest]bool
}

// NewTarget makes the Target of a description, which has one at most. Nest is its
// file if that is an Epoll.
func NewTarget(f fs.NotifyFile, nest *Epoll) *Target {
	t := &Target{file: f, nest: nest, interests: make(map[*interest]bool)}
	if nest != nil {
		nesting.Lock()
		nest.self = t
		nesting.Unlock()
	}
	return t
}

func (t *Target) enter(i *interest) {
	t.mu.Lock()
	t.interests[i] = true
	t.mu.Unlock()
}

func (t *Target) leave(i *interest) {
	t.mu.Lock()
	delete(t.interests, i)
	t.mu.Unlock()
}

// Close ends all interests in t. It is called when the last descriptor has gone,
// before the file is released.
func (t *Target) Close() {
	for {
		t.mu.Lock()
		var i *interest
		for i = range t.interests {
			break
		}
		t.mu.Unlock()
		if i == nil {
			return
		}
		e := i.epoll
		e.mu.Lock()
		if !i.removed {
			e.remove(i)
		}
		e.mu.Unlock()
	}
}

// key is what tells an interest from others of its Epoll: a description may be
// there once by each of its descriptors.
type key struct {
	target *Target
	fd     int
}

// interest is a file in an Epoll.
type interest struct {
	key
	epoll  *Epoll
	waiter fs.Waiter
	silent bool   // the file does not tell of changes
	was    uint32 // what held when it was last asked, if it is silent

	event   Event // written under epoll.mu and epoll.list
	removed bool  // likewise

	// Under epoll.list.
	listed     bool
	prev, next *interest
}

// inside reports whether nothing but calls of the program changes what the file is
// ready for.
func (i *interest) inside() bool { return fs.Inside(i.target.file) }

// poll asks the file; epoll.mu is held. What fails is an error of the file.
func (i *interest) poll() uint32 {
	want := i.event.Events &^ flags
	if want == 0 {
		return 0 // it had its one shot
	}
	now, err := i.target.file.Poll(want)
	if err != nil {
		now = fs.PollErr
	}
	return now & want
}

// look puts i on the list if its file is ready; epoll.mu is held.
func (i *interest) look() (now uint32) {
	if now = i.poll(); now != 0 {
		i.wake(0)
	}
	return now
}

// wake puts i on the list. Events are those that have changed; 0: any. It tells
// if that ends the search of an exclusive interest for somebody who waits.
func (i *interest) wake(events uint32) bool {
	e := i.epoll
	e.list.Lock()
	mine := i.event.Events
	if i.removed || mine&^flags == 0 || events != 0 && events&mine == 0 {
		e.list.Unlock()
		return false
	}
	e.ready.push(i)
	woken := e.wakeSleeper()
	e.list.Unlock()
	e.queue.Wake(fs.PollIn)
	if mine&Exclusive == 0 {
		return true
	}
	switch events & (fs.PollIn | fs.PollOut) {
	case fs.PollIn, fs.PollOut:
		return woken && mine&events&(fs.PollIn|fs.PollOut) != 0
	case 0:
		return woken
	}
	return false
}

// readyList is a list of interests.
type readyList struct{ first, last *interest }

// push puts i at the end, unless it is in a list already.
func (l *readyList) push(i *interest) {
	if i.listed || i.removed {
		return
	}
	i.listed, i.prev, i.next = true, l.last, nil
	if l.last != nil {
		l.last.next = i
	} else {
		l.first = i
	}
	l.last = i
}

// unpop puts i at the beginning.
func (l *readyList) unpop(i *interest) {
	if i.listed || i.removed {
		return
	}
	i.listed, i.prev, i.next = true, nil, l.first
	if l.first != nil {
		l.first.prev = i
	} else {
		l.last = i
	}
	l.first = i
}

// pop takes out the first; nil: there is none.
func (l *readyList) pop() *interest {
	i := l.first
	if i != nil {
		l.remove(i)
	}
	return i
}

// remove takes i out, if it is in a list, which is l.
func (l *readyList) remove(i *interest) {
	if !i.listed {
		return
	}
	if i.prev != nil {
		i.prev.next = i.next
	} else {
		l.first = i.next
	}
	if i.next != nil {
		i.next.prev = i.prev
	} else {
		l.last = i.prev
	}
	i.listed, i.prev, i.next = false, nil, nil
}

// prepend moves all of m before what is in l.
func (l *readyList) prepend(m *readyList) {
	if m.first == nil {
		return
	}
	if m.last.next = l.first; l.first != nil {
		l.first.prev = m.last
	} else {
		l.last = m.last
	}
	l.first = m.first
	*m = readyList{}
}

// nesting is held while an Epoll is put into another, so that no two of them can
// close a circle.
var nesting sync.Mutex

// maxNests is EP_MAX_NESTS: so many levels may lie below one.
const maxNests = 4

// tooDeep tells if inner in e would be a circle, or too many levels.
func tooDeep(e, inner *Epoll) bool {
	down := inner.below(e, 0)
	return down > maxNests || down+1+e.above(0) > maxNests
}

// below is how many levels lie below e; too many, if other is among them.
func (e *Epoll) below(other *Epoll, depth int) (most int) {
	if e == other || depth > maxNests {
		return maxNests + 1
	}
	e.mu.Lock()
	var inner []*Epoll
	for k := range e.interests {
		if k.target.nest != nil {
			inner = append(inner, k.target.nest)
		}
	}
	e.mu.Unlock()
	for _, n := range inner {
		if most = max(most, n.below(other, depth+1)+1); most > maxNests {
			break
		}
	}
	return most
}

// above is how many levels lie above e.
func (e *Epoll) above(depth int) (most int) {
	t := e.self
	if t == nil || depth > maxNests {
		return 0
	}
	t.mu.Lock()
	var outer []*Epoll
	for i := range t.interests {
		outer = append(outer, i.epoll)
	}
	t.mu.Unlock()
	for _, o := range outer {
		most = max(most, o.above(depth+1)+1)
	}
	return most
}
