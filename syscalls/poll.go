package syscalls

import (
	"slices"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
)

// Events of Poll, as of poll(2).
const (
	pollIn    = fs.PollIn | fs.PollRdNorm
	pollOut   = fs.PollOut | fs.PollWrNorm
	pollAlone = fs.PollErr | fs.PollHup // what nobody has to ask for
)

// pollAgain is after how long files are asked again that do not tell when they
// become ready.
const pollAgain = 10 * time.Millisecond

// Poll waits until one of fds is ready for one of its events, at most ns
// nanoseconds; for ever if ns < 0. Revents gets what each is ready for, n is
// how many are ready for anything. Descriptors below 0 are left out.
func (k *Kernel) Poll(fds []int32, events, revents []int16, ns int64) (n int, e syscall.Errno) {
	return k.Ppoll(fds, events, revents, ns, nil)
}

// Ppoll is Poll under a mask of signals, if that is not nil. EINTR: the program got
// one that the mask lets through, and no file is ready.
func (k *Kernel) Ppoll(fds []int32, events, revents []int16, ns int64, mask *Sigset) (n int, e syscall.Errno) {
	if len(events) != len(fds) || len(revents) != len(fds) {
		return 0, syscall.EINVAL
	}
	files := make([]polled, len(fds))
	for i, fd := range fds {
		files[i].events = uint32(uint16(events[i]))
		if fd < 0 {
			continue
		}
		d, e := k.table.file(int(fd))
		if files[i].desc = d; e == 0 {
			defer d.put()
		}
	}
	ask := func() (n int) {
		for i := range files {
			revents[i] = 0
			if fds[i] >= 0 {
				revents[i] = int16(files[i].ready())
			}
			if revents[i] != 0 {
				n++
			}
		}
		return n
	}
	signals := k.waitUnder(mask)
	defer signals.end()
	if n := ask(); n > 0 {
		return n, 0
	}
	if signals.interrupted() {
		return 0, syscall.EINTR
	}
	if ns == 0 {
		return 0, 0
	}
	var over, again <-chan time.Time // nil: never
	if ns > 0 {
		t := time.NewTimer(time.Duration(ns))
		defer t.Stop()
		over = t.C
	}
	woken := make(chan struct{}, 1)
	if !watchAll(files, woken) {
		t := time.NewTicker(pollAgain)
		defer t.Stop()
		again = t.C
	}
	defer func() {
		for i := range files {
			files[i].waiter.Stop()
		}
	}()
	asleep := ns < 0 && again == nil && signals == nil && !slices.ContainsFunc(files, polled.outside)
	for last := false; ; {
		if n := ask(); n > 0 {
			return n, 0
		}
		if signals.interrupted() {
			return 0, syscall.EINTR
		}
		if last {
			return 0, 0
		}
		if asleep {
			fs.Asleep(woken)
			continue
		}
		select {
		case <-woken:
		case <-again:
		case <-signals.wakes():
		case <-over:
			last = true
		}
	}
}

// polled is a file that Poll looks at.
type polled struct {
	desc   *desc // nil: not open
	events uint32
	waiter fs.Waiter
}

// outside reports whether something else than calls of the program changes what the
// file is ready for.
func (p polled) outside() bool { return p.desc != nil && !p.desc.Inside() }

// ready returns which of the events hold now, and errors.
func (p *polled) ready() uint32 {
	if p.desc == nil {
		return fs.PollNval
	}
	return p.desc.ready(p.events)
}

// ready returns which of events hold now for d's file, and errors.
func (d *desc) ready(events uint32) uint32 {
	f := d.pollFile()
	if f == nil {
		return (pollIn | pollOut) & events
	}
	if d.stream != nil && !d.readable() {
		events &^= pollIn // it is not to be read ahead
	}
	if d.stream != nil && !d.writable() {
		events &^= pollOut
	}
	events |= pollAlone
	got, err := f.Poll(events)
	if err != nil {
		return fs.PollErr
	}
	return got & events
}

// pollFile is what tells whether d's file is ready; nil: it always is.
func (d *desc) pollFile() fs.PollFile {
	if f, ok := d.file.(fs.PollFile); ok {
		return f
	}
	if d.stream != nil {
		return d.stream
	}
	return nil
}

// watchAll has woken filled when one of files may have become ready. False: some
// of them do not tell.
func watchAll(files []polled, woken chan struct{}) bool {
	all := true
	for i := range files {
		p := &files[i]
		if p.desc == nil {
			continue
		}
		f := p.desc.pollFile()
		if f == nil {
			continue
		}
		p.waiter.Wake = func(events uint32) bool {
			if events&(p.events|pollAlone) == 0 {
				return false
			}
			select {
			case woken <- struct{}{}:
				return true
			default:
				return false
			}
		}
		n, ok := f.(fs.NotifyFile)
		all = ok && n.Watch(&p.waiter) && all
	}
	return all
}
