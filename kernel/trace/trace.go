// Package trace sees what crosses the boundaries of the kernel: system calls, FUSE
// requests, notifications and interrupts of devices, CPUs that idle. yolk run --trace adds
// it to a program; other images do not have it, and have nothing that looks whether it is
// there.
//
// It stands between the interfaces that the parts of the kernel meet at
// (kernel.Tracer). What it sees goes into a ring of each CPU (package ring), and from there, as it
// is, to the launcher (package wire).
//
// Its functions are called before the init functions of the packages that it
// imports beyond the kernel's: none of them has any.
package trace

import (
	"runtime"
	"strconv"
	"sync/atomic"

	"github.com/yolkos/yolk/kernel/trace/ring"
	"github.com/yolkos/yolk/kernel/trace/wire"
)

// tracer is what has been seen, and what is looked at.
type tracer struct {
	wanted atomic.Uint32 // the kinds that are traced when it is turned on, a wire.Set; those that are now are in ring.State
	names  [wire.Spaces]names
	woken  atomic.Bool   // who sends has been, as a ring is crowded
	wake   chan struct{} // for who sends
}

// crowded wakes who sends, and lets it have the CPU, once for each time that it sends.
func (t *tracer) crowded() {
	if t.woken.Load() || t.woken.Swap(true) {
		return
	}
	select {
	case t.wake <- struct{}{}:
	default:
	}
	runtime.Gosched()
}

// names are the numbers of a space of wire that have been used, and those of which the launcher has been
// told the names.
type names struct {
	used  [maxNames]atomic.Bool
	fresh atomic.Bool // there may be numbers of which the launcher has not been told
	told  [maxNames]bool
}

const maxNames = 512

// want has the launcher be told the name of a number.
func (n *names) want(number uint16) {
	if i := number % maxNames; !n.used[i].Load() {
		n.used[i].Store(true)
		n.fresh.Store(true)
	}
}

// untold calls tell with each number whose name is wanted and has not been told.
func (n *names) untold(tell func(number int)) {
	if !n.fresh.Swap(false) {
		return // as nearly each time that something is sent
	}
	for i := range n.used {
		if !n.told[i] && n.used[i].Load() {
			n.told[i] = true
			tell(i)
		}
	}
}

// has reports whether a kind is traced now.
func (t *tracer) has(k wire.Kind) bool { return ring.State.Load()>>k&1 != 0 }

// text appends what /proc/yolk/trace says: what is traced, what was lost, and the newest
// events.
func (t *tracer) text(b []byte, rings []*ring.Ring, format func(b []byte, e *wire.Event) []byte) []byte {
	b = append(b, t.state()...)
	lost := uint64(0)
	var events []wire.Event
	for i, r := range rings {
		if r == nil {
			continue
		}
		lost += r.Lost()
		from := len(events)
		events = r.Newest(events, newest)
		for j := range events[from:] {
			events[from+j].CPU = uint16(i)
		}
	}
	b = append(b, "\nlost "...)
	b = append(strconv.AppendUint(b, lost, 10), '\n')
	sortByTime(events)
	for i := range events {
		b = format(b, &events[i])
	}
	return b
}

// newest is how many events of each CPU are shown.
const newest = 256

// state says what is traced.
func (t *tracer) state() string {
	if s := wire.Set(ring.State.Load() &^ ring.Crowded); s != 0 {
		return "on " + s.String()
	}
	return "off " + wire.Set(t.wanted.Load()).String()
}

// set turns tracing "on" or "off", or on for other kinds than before: "on call,fuse".
func (t *tracer) set(text string) bool {
	switch {
	case text == "off":
		ring.State.Store(0)
	case text == "on":
		ring.State.Store(t.wanted.Load())
	case len(text) > 3 && text[:3] == "on ":
		s, err := wire.ParseSet(text[3:])
		if err != nil || s == 0 {
			return false
		}
		t.wanted.Store(uint32(s))
		ring.State.Store(uint32(s))
	default:
		return false
	}
	return true
}

// sortByTime sorts events, nearly sorted runs of each CPU, by insertion from behind.
func sortByTime(events []wire.Event) {
	for i := 1; i < len(events); i++ {
		for j := i; j > 0 && events[j].Time < events[j-1].Time; j-- {
			events[j], events[j-1] = events[j-1], events[j]
		}
	}
}
