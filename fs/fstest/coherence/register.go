package coherence

import (
	"fmt"
	"slices"
)

// interval is the time of a call, on a clock that counts beginnings and ends.
type interval struct{ start, end int64 }

func (i interval) before(j interval) bool { return i.end < j.start }

// forever is the end of a call that has not returned.
const forever = 1<<63 - 1

// register is a place that holds one value at a time, such as eight bytes of a
// file or a name of a directory, and what calls have done to it.
type register struct {
	of     string // what it is
	writes []access
	reads  []access
}

// access is a call that has set the register to value, or found that there.
type access struct {
	interval
	value uint64
	by    string // the call, for messages
}

func (a access) String() string { return fmt.Sprintf("%s [%d,%d]", a.by, a.start, a.end) }

// any is the value of a read that only tells that there was one, not 0.
const anyValue = 1<<64 - 1

func (a access) saw(value uint64) bool {
	return a.value == value || a.value == anyValue && value != 0
}

// check reports a read that found what cannot have been there: a value that
// nobody had begun to write, or that had been replaced before the read began,
// by a call that had begun after the one that wrote it had ended.
func (r *register) check() error {
	for _, read := range r.reads {
		var gone []string
		explained := slices.ContainsFunc(r.writes, func(w access) bool {
			if !read.saw(w.value) || read.before(w.interval) {
				return false
			}
			for _, over := range r.writes {
				if w.before(over.interval) && over.before(read.interval) {
					gone = append(gone, fmt.Sprintf("%v had been replaced by %v", w, over))
					return false
				}
			}
			return true
		})
		if !explained {
			return fmt.Errorf("%s: %v found %#x: %v", r.of, read, read.value, gone)
		}
	}
	return r.checkOrder()
}

// checkOrder reports values that came back: that some reads found after
// others had found their successors. Each value but 0 is written once at most,
// so that one is gone for good when a read finds 0 where it has been.
// It is the test of Gibbons and Korach for registers ("Testing Shared
// Memories", 1997, section 4.1): the calls on one value form a zone, from the
// first end to the last beginning among them. If the end comes first, the
// register must have held the value throughout; else it held it at some time
// in between.
func (r *register) checkOrder() error {
	zones := map[uint64]*zone{}
	for _, list := range [][]access{r.writes, r.reads} {
		for _, a := range list {
			if a.value == 0 || a.value == anyValue {
				continue
			}
			z := zones[a.value]
			if z == nil {
				z = &zone{first: a, last: a}
				zones[a.value] = z
			}
			if a.end < z.first.end {
				z.first = a
			}
			if a.start > z.last.start {
				z.last = a
			}
		}
	}
	for v, z := range zones {
		for _, a := range r.reads {
			if a.value == 0 && z.first.before(a.interval) && a.before(z.last.interval) {
				return fmt.Errorf("%s: %#x came back: it was there at %v and %v, and 0 at %v", r.of, v, z.first, z.last, a)
			}
		}
		if z.held() {
			for w, y := range zones {
				from, to := y.span()
				if w != v && (y.held() && from < z.last.start && z.first.end < to || !y.held() && z.first.end < from && to < z.last.start) {
					return fmt.Errorf("%s: %#x came back: it was there from %v to %v, and %#x from %v to %v",
						r.of, v, z.first, z.last, w, y.first, y.last)
				}
			}
		}
	}
	return nil
}

// zone is the calls on one value.
type zone struct {
	first access // the one that ended first
	last  access // the one that began last
}

func (z *zone) held() bool { return z.first.end < z.last.start }

func (z *zone) span() (from, to int64) {
	return min(z.first.end, z.last.start), max(z.first.end, z.last.start)
}

// extent is the size of a file, in bytes, and what calls have done to it.
type extent struct {
	of    string
	grown []sized // writes, which leave it at size or above
	cut   []sized // truncations, which set it to size
	seen  []sized
}

// sized is a call that has set or found a size: exactly that of size, or with
// least or most one no less or no more.
type sized struct {
	interval
	size        int64
	least, most bool
	by          string
}

func (s sized) String() string { return fmt.Sprintf("%s [%d,%d]", s.by, s.start, s.end) }

// check reports a size that the file cannot have had.
func (x *extent) check() error {
	for i, s := range x.seen {
		if !s.least {
			if low, by := x.low(i); s.size < low {
				return fmt.Errorf("%s: %v found a size of %d: it was %d at least, for %v", x.of, s, s.size, low, by)
			}
		}
		if !s.most {
			if high := x.high(s.interval); s.size > high {
				return fmt.Errorf("%s: %v found a size of %d: it was %d at most", x.of, s, s.size, high)
			}
		}
	}
	return nil
}

// low is the least size that the file can have had during seen[i]: what any
// call that had ended before left, unless it was cut since.
func (x *extent) low(i int) (low int64, by sized) {
	for k, list := range [][]sized{x.grown, x.cut, x.seen} {
		for j, w := range list {
			if w.most || !w.before(x.seen[i].interval) || k == 2 && i == j {
				continue
			}
			size := w.size
			for l, c := range x.cut {
				if !c.before(w.interval) && c.start < x.seen[i].end && (k != 1 || l != j) {
					size = min(size, c.size)
				}
			}
			if size > low {
				low, by = size, w
			}
		}
	}
	return low, by
}

// high is the largest size that the file can have had at some time in i.
func (x *extent) high(i interval) (high int64) {
	for _, list := range [][]sized{x.grown, x.cut} {
		for _, w := range list {
			replaced := func(c sized) bool { return w.before(c.interval) && c.before(i) }
			if w.start < i.end && !slices.ContainsFunc(x.cut, replaced) {
				high = max(high, w.size)
			}
		}
	}
	return high
}
