package fs

import (
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
)

// waker counts how often it is woken.
func waker(exclusive, takes bool) (*Waiter, *int) {
	n := new(int)
	return &Waiter{Exclusive: exclusive, Wake: func(uint32) bool { *n++; return takes }}, n
}

func TestWaitQueue(t *testing.T) {
	var q WaitQueue
	q.Wake(PollIn)
	a, na := waker(false, true)
	b, nb := waker(true, false) // exclusive, but takes nothing
	c, nc := waker(true, true)
	d, nd := waker(true, true)
	e, ne := waker(false, true)
	for _, w := range []*Waiter{a, b, c, d, e} {
		q.Add(w, PollReads)
	}
	expect := func(what string, want ...int) {
		t.Helper()
		for i, n := range []*int{na, nb, nc, nd, ne} {
			if *n != want[i] {
				t.Errorf("%s: waiter %d was woken %d times, want %d", what, i, *n, want[i])
			}
		}
	}
	q.Wake(PollOut)
	expect("another event", 0, 0, 0, 0, 0)
	q.Wake(PollOut | PollHup)
	expect("one of the events", 1, 1, 1, 0, 1)
	c.Stop()
	c.Stop()
	q.Wake(PollIn)
	expect("without the third", 2, 2, 1, 1, 2)
	a.Stop()
	e.Stop()
	q.Wake(PollIn)
	expect("without the ends", 2, 3, 1, 2, 2)
	q.Add(a, PollWrites)
	q.Wake(PollOut)
	expect("back for other events", 3, 3, 1, 2, 2)
}

// What Stop returns from is never woken afterwards.
func TestWaiterStop(t *testing.T) {
	var q WaitQueue
	var wg sync.WaitGroup
	end := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-end:
				return
			default:
				q.Wake(PollIn)
			}
		}
	})
	for range 1000 {
		stopped := false
		w := Waiter{Wake: func(uint32) bool {
			if stopped { // the race detector looks as well
				t.Error("woken behind Stop")
			}
			return true
		}}
		q.Add(&w, PollIn)
		w.Stop()
		stopped = true
	}
	close(end)
	wg.Wait()
}

// A file that tells is asked no more often than it tells.
func TestAwaitAsksWhenTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &VFS{}
		v.pipes = v.Internal(pipeFS{})
		r, w, _ := v.NewPipe(0)
		asked := &asked{pipeEnd: r.(*pipeEnd)}
		done := make(chan error, 1)
		go func() { done <- AwaitReady(asked, PollIn, nil) }()
		synctest.Wait()
		if asked.n != 2 {
			t.Errorf("asked %d times before anything happened, want 2", asked.n)
		}
		w.(Stream).Write([]byte("x"))
		if err := <-done; err != nil || asked.n != 3 {
			t.Errorf("%v, asked %d times", err, asked.n)
		}
		end := make(chan struct{})
		go func() { done <- AwaitReady(r.(PollFile), PollPri, end) }()
		synctest.Wait()
		close(end)
		if err := <-done; err != syscall.EINTR {
			t.Errorf("ended: %v", err)
		}
		if err := AwaitReady(r.(PollFile), PollIn, end); err != nil {
			t.Errorf("ready and ended: %v", err)
		}
		go func() { done <- AwaitReady(r.(PollFile), PollPri, nil) }()
		synctest.Wait()
		w.Release()
		if err := <-done; err != nil {
			t.Errorf("hung up: %v", err)
		}
		r.Release()
	})
}

type asked struct {
	*pipeEnd
	n int
}

func (a *asked) Poll(events uint32) (uint32, error) {
	a.n++
	return a.pipeEnd.Poll(events)
}
