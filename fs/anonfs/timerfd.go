package anonfs

import (
	"math"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
)

// Clock is a clock that a Timerfd goes by.
type Clock struct {
	// Now is the time, in nanoseconds. It advances with time, unless it is set.
	Now func() int64
	// Sets is nil for a clock that is never set.
	Sets *Sets
}

// Sets are the changes of a clock that are none of time.
type Sets struct {
	count atomic.Int64
	queue fs.WaitQueue
}

// Note has those who go by the clock look at it again, for it was set.
func (s *Sets) Note() {
	s.count.Add(1)
	s.queue.Wake(fs.PollIn)
}

// Setting is what a Timerfd is set to, and how it stands.
type Setting struct {
	Value    int64 // when it expires, in nanoseconds; 0: never
	Interval int64 // between further expirations; 0: there are none
}

// Flags of Timerfd.Set: TFD_TIMER_ABSTIME and TFD_TIMER_CANCEL_ON_SET.
const (
	TimerAbsolute    = 1
	TimerCancelOnSet = 2
)

// Timerfd is the file of timerfd_create(2): reads tell how often the timer has
// expired.
type Timerfd struct {
	stream
	reads
	clock Clock

	mu       sync.Mutex
	next     int64 // by the clock, when it expires; 0: never
	interval int64
	ticks    uint64      // expirations that nobody has read
	expired  bool        // the timer stands still until somebody asks
	cancel   bool        // when the clock is set
	sets     int64       // of the clock that are known of
	timer    *time.Timer // runs until next, unless expired
	set      fs.Waiter   // for the clock to be set, if next is a time of that
	queue    fs.WaitQueue
}

// NewTimerfd makes a timer that is not set.
func NewTimerfd(c Clock) *Timerfd {
	t := &Timerfd{clock: c}
	t.do = t
	// Whoever sets the clock does not wait for the timer's lock.
	t.set.Wake = func(uint32) bool { go t.clockWasSet(); return true }
	return t
}

// Set sets the timer and returns how it stood. ECANCELED: it is set, but the clock
// was, too, and nobody has been told.
func (t *Timerfd) Set(s Setting, flags int) (old Setting, err error) {
	if s.Value < 0 || s.Interval < 0 {
		return old, syscall.EINVAL
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	old = t.stand()
	t.stop()
	untold := t.cancelled()
	t.ticks, t.expired, t.next, t.interval = 0, false, 0, s.Interval
	t.cancel = false
	if flags&TimerAbsolute != 0 && t.clock.Sets != nil {
		t.cancel = flags&TimerCancelOnSet != 0
		t.sets = t.clock.Sets.count.Load()
		t.clock.Sets.queue.Add(&t.set, fs.PollIn)
	}
	if s.Value == 0 {
		return old, nil
	}
	t.next = s.Value
	if flags&TimerAbsolute == 0 {
		t.next = later(t.clock.Now(), s.Value)
	}
	t.start()
	if t.cancel && untold {
		return old, syscall.ECANCELED
	}
	return old, nil
}

// Get tells in what time the timer will expire, and its interval.
func (t *Timerfd) Get() Setting {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stand()
}

// later is a+b, or the end of time.
func later(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// stand is Get; t.mu is held, as in what follows. A timer that has expired goes
// on, and counts what it has missed.
func (t *Timerfd) stand() Setting {
	t.due()
	t.goOn()
	s := Setting{Interval: t.interval}
	if t.timer != nil {
		s.Value = max(t.next-t.clock.Now(), 1)
	}
	return s
}

// goOn has a timer with an interval that has expired run on. It expired once, and
// in the meantime would have for each interval that has passed.
func (t *Timerfd) goOn() {
	if !t.expired || t.interval == 0 {
		return
	}
	t.expired = false
	if missed := (t.clock.Now() - t.next) / t.interval; missed >= 0 {
		t.ticks += uint64(missed)
		t.next = later(t.next+missed*t.interval, t.interval)
	} else { // the clock was set back
		t.next = later(t.next, t.interval)
	}
	t.start()
}

// start has the timer run until next, if that is not now.
func (t *Timerfd) start() {
	var x *time.Timer
	x = time.AfterFunc(max(0, time.Duration(t.next-t.clock.Now())), func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.timer != x {
			return
		}
		if t.due(); t.timer == x {
			t.start() // the clock is not there yet
		}
	})
	t.timer = x
	t.due()
}

// stop ends what runs for the timer.
func (t *Timerfd) stop() {
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
	t.set.Stop()
}

// due counts the expiration at next if the time has come, however late the timer.
func (t *Timerfd) due() {
	if t.timer == nil || t.clock.Now() < t.next {
		return
	}
	t.timer.Stop()
	t.timer = nil
	t.expired = true
	t.ticks++
	t.queue.Wake(fs.PollIn)
}

// clockWasSet keeps an absolute timer right.
func (t *Timerfd) clockWasSet() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
		t.start()
	}
	if t.cancel {
		t.queue.Wake(fs.PollIn)
	}
}

// cancelled tells if the clock was set since somebody last heard of it.
func (t *Timerfd) cancelled() bool {
	return t.cancel && t.clock.Sets.count.Load() != t.sets
}

func (t *Timerfd) readNow(p []byte) (int, error) {
	if len(p) < 8 {
		return 0, syscall.EINVAL
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.due()
	if t.cancelled() {
		t.sets = t.clock.Sets.count.Load()
		t.ticks, t.expired = 0, false
		return 0, syscall.ECANCELED
	}
	if t.ticks == 0 {
		return 0, syscall.EAGAIN
	}
	t.goOn()
	n := t.ticks
	t.ticks, t.expired = 0, false
	return putCount(p, n)
}

// Poll implements fs.PollFile.
func (t *Timerfd) Poll(events uint32) (uint32, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.due()
	if t.ticks > 0 || t.cancelled() {
		return events & fs.PollIn, nil
	}
	return 0, nil
}

// Watch implements fs.NotifyFile.
func (t *Timerfd) Watch(w *fs.Waiter) bool {
	t.queue.Add(w, fs.PollIn|fs.PollErr|fs.PollHup)
	return true
}

// Release implements fs.File.
func (t *Timerfd) Release() {
	t.mu.Lock()
	t.stop()
	t.mu.Unlock()
}
