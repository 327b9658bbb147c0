// Package trace reads what a traced guest sends (kernel/trace/wire), puts it in order,
// and writes it as text, as JSON, for Perfetto and Chrome, or as a picture.
package trace

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/yolkos/yolk/kernel/trace/wire"
)

// Reader takes a stream as it comes, by Write, and hands its events on in the order of
// their time. What it is given is foreign: a stream that is wrong ends with an error.
type Reader struct {
	take func(e *wire.Event, ns int64) // ns since the boot
	gap  func()                        // events were lost before the next one

	buf     []byte            // what has come of a frame
	begun   bool              // the magic has come
	partial map[uint16][]byte // of an event, by CPU
	pending []wire.Event      // not in order yet
	clock   wire.Clock
	last    int64 // the time of the last event handed on: a clock that is told anew does not turn time back
	names   [wire.Spaces]map[uint32]string
	lost    map[uint16]uint64
	gaps    bool // something was lost in this round
	err     error
}

// maxPending bounds the events that are not in order yet: the stream says when they are.
const maxPending = 1 << 20

// maxCPUs bounds the CPUs of a stream.
const maxCPUs = 1024

// NewReader returns a Reader that hands its events to take, and calls gap after those of a round
// of which some were lost.
func NewReader(take func(e *wire.Event, ns int64), gap func()) *Reader {
	r := &Reader{take: take, gap: gap, partial: map[uint16][]byte{}, lost: map[uint16]uint64{}}
	for i := range r.names {
		r.names[i] = map[uint32]string{}
	}
	return r
}

// Name is the name of a number in a space of wire; "" if there is none.
func (r *Reader) Name(space int, number uint32) string { return r.names[space][number] }

// Lost is how many events were lost in the guest.
func (r *Reader) Lost() (n uint64) {
	for _, l := range r.lost {
		n += l
	}
	return n
}

// Wall is when the guest booted by its wall clock, in ns since 1970; 0: it has not said
// so.
func (r *Reader) Wall() int64 { return r.clock.Wall }

// Write takes the next bytes of the stream.
func (r *Reader) Write(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	r.buf = append(r.buf, p...)
	if r.err = r.frames(); r.err != nil {
		r.buf = nil
		return 0, r.err
	}
	return len(p), nil
}

// Close hands out what is left. A stream that ends in the midst of something is none
// that is wrong: so it ends when the guest does.
func (r *Reader) Close() {
	r.deliver(^uint64(0))
	r.buf = nil
}

func (r *Reader) frames() error {
	rest := r.buf
	if !r.begun {
		n := min(len(rest), len(wire.Magic))
		if !bytes.Equal(rest[:n], []byte(wire.Magic[:n])) {
			return fmt.Errorf("the guest's trace begins with %q, want %q", rest[:n], wire.Magic)
		}
		if n < len(wire.Magic) {
			return nil
		}
		r.begun = true
		rest = rest[n:]
	}
	for len(rest) >= wire.HeaderSize {
		h, err := wire.ParseHeader(rest)
		if err != nil {
			return fmt.Errorf("the guest's trace: %w", err)
		}
		if len(rest)-wire.HeaderSize < int(h.Size) {
			break
		}
		if err := r.frame(h, rest[wire.HeaderSize:][:h.Size]); err != nil {
			return fmt.Errorf("the guest's trace: %w", err)
		}
		rest = rest[wire.HeaderSize+int(h.Size):]
	}
	r.buf = append(r.buf[:0], rest...)
	return nil
}

func (r *Reader) frame(h wire.Header, data []byte) error {
	switch h.Type {
	case wire.FrameEvents:
		return r.events(h, data)
	case wire.FrameName:
		space := h.Value >> 32
		if space >= wire.Spaces {
			return fmt.Errorf("a name of space %d", space)
		}
		if names := r.names[space]; len(names) < maxNames {
			names[uint32(h.Value)] = string(data[:min(len(data), maxNameSize)])
		}
	case wire.FrameClock:
		c, err := wire.ParseClock(data)
		if err != nil {
			return err
		}
		r.clock = c
		r.clock.Wall -= r.ns(h.Value)
	case wire.FrameRound:
		r.deliver(h.Value)
	default:
		return fmt.Errorf("a frame of type %d", h.Type)
	}
	return nil
}

// Bounds of the names that are kept.
const (
	maxNames    = 1 << 16
	maxNameSize = 256 // bytes
)

var errCPU = errors.New("more CPUs than a machine has")

func (r *Reader) events(h wire.Header, data []byte) error {
	if len(data)%wire.SlotSize != 0 {
		return fmt.Errorf("events of %d bytes, which is no multiple of %d", len(data), wire.SlotSize)
	}
	if h.CPU >= maxCPUs {
		return errCPU
	}
	if h.Value > r.lost[h.CPU] {
		r.lost[h.CPU] = h.Value
		r.gaps = true
	}
	if rest := r.partial[h.CPU]; len(rest) > 0 {
		data = append(rest, data...)
	}
	for {
		e, n := wire.Parse(data)
		if n == 0 {
			break
		}
		data = data[n:]
		if e.Kind < wire.Kinds {
			e.CPU = h.CPU
			r.pending = append(r.pending, e)
		}
	}
	r.partial[h.CPU] = slices.Clone(data)
	if len(r.pending) > maxPending {
		r.deliver(^uint64(0))
	}
	return nil
}

// deliver hands out the events up to a time of the counter, in order.
func (r *Reader) deliver(until uint64) {
	slices.SortStableFunc(r.pending, func(a, b wire.Event) int {
		switch {
		case a.Time < b.Time:
			return -1
		case a.Time > b.Time:
			return 1
		}
		return 0
	})
	n := 0
	for n < len(r.pending) && r.pending[n].Time <= until {
		r.last = max(r.last, r.ns(r.pending[n].Time))
		r.take(&r.pending[n], r.last)
		n++
	}
	r.pending = slices.Delete(r.pending, 0, n)
	if r.gaps {
		r.gaps = false
		r.gap()
	}
}

// ns is the time since the boot of a time of the counter.
func (r *Reader) ns(tsc uint64) int64 {
	hi, lo := bits.Mul64(tsc-min(r.clock.Base, tsc), r.clock.Scale)
	if hi >= 1<<29 {
		return 1<<61 - 1
	}
	return int64(hi<<32 | lo>>32)
}
