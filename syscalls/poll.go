package syscalls

import (
	"sync"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
)

// Events of Poll, as of poll(2).
const (
	pollIn    = fs.PollIn | fs.PollRdNorm
	pollOut   = fs.PollOut | fs.PollWrNorm
	pollNval  = 0x20
	pollAlone = fs.PollErr | fs.PollHup // what nobody has to ask for
)

// pollAgain is after how long files are asked again that do not tell when they
// become ready.
const pollAgain = 10 * time.Millisecond

// Poll waits until one of fds is ready for one of its events, at most ns
// nanoseconds; for ever if ns < 0. Revents gets what each is ready for, n is
// how many are ready for anything. Descriptors below 0 are left out.
func (k *Kernel) Poll(fds []int32, events, revents []int16, ns int64) (n int, e syscall.Errno) {
	if len(events) != len(fds) || len(revents) != len(fds) {
		return 0, syscall.EINVAL
	}
	files := make([]polled, len(fds))
	for i, fd := range fds {
		files[i].events = uint32(events[i])
		if fd < 0 {
			continue
		}
		d, e := k.table.file(int(fd))
		if files[i].desc = d; e == 0 {
			defer d.put()
		}
	}
	var over <-chan time.Time // nil: never
	if ns > 0 {
		t := time.NewTimer(time.Duration(ns))
		defer t.Stop()
		over = t.C
	}
	for last := ns == 0; ; {
		n := 0
		for i, f := range files {
			revents[i] = 0
			if fds[i] >= 0 {
				revents[i] = int16(f.ready())
			}
			if revents[i] != 0 {
				n++
			}
		}
		if n > 0 || last {
			return n, 0
		}
		last = awaitAny(files, over)
	}
}

// polled is a file that Poll looks at.
type polled struct {
	desc   *desc // nil: not open
	events uint32
}

// ready returns which of the events hold now, and errors.
func (p polled) ready() uint32 {
	d := p.desc
	if d == nil {
		return pollNval
	}
	if f, ok := d.file.(fs.PollFile); ok {
		got, err := f.Poll(p.events | pollAlone)
		if err != nil {
			return fs.PollErr
		}
		return got & (p.events | pollAlone)
	}
	got := uint32(pollIn | pollOut)
	if d.stream != nil {
		got = 0
		if p.reads() && d.stream.WaitUntil(false, never) == nil {
			got |= pollIn
		}
		if p.writes() && d.stream.WaitUntil(true, never) == nil {
			got |= pollOut
		}
	}
	return got & p.events
}

func (p polled) reads() bool  { return p.events&pollIn != 0 && p.desc.readable() }
func (p polled) writes() bool { return p.events&pollOut != 0 && p.desc.writable() }

// awaitAny waits until one of the files may have become ready. True: the time
// is over.
func awaitAny(files []polled, over <-chan time.Time) bool {
	var waits sync.WaitGroup
	end := make(chan struct{})
	ready := make(chan struct{}, 2*len(files))
	var again <-chan time.Time
	for _, p := range files {
		if p.desc == nil {
			continue
		}
		s := p.desc.stream
		if s == nil || !p.reads() && !p.writes() {
			again = time.After(pollAgain)
			continue
		}
		for _, write := range []bool{false, true} {
			if write && !p.writes() || !write && !p.reads() {
				continue
			}
			waits.Go(func() {
				if s.WaitUntil(write, end) == nil {
					ready <- struct{}{}
				}
			})
		}
	}
	defer waits.Wait()
	defer close(end)
	select {
	case <-ready:
	case <-again:
	case <-over:
		return true
	}
	return false
}
