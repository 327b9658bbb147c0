package wire

import (
	"strings"
	"testing"
)

func TestSet(t *testing.T) {
	for s := range All + 1 {
		got, err := ParseSet(s.String())
		if err != nil || got != s {
			t.Errorf("%q: %v, %v, want %v", s.String(), got, err, s)
		}
	}
	for _, text := range []string{"calls", "call,", "call,,fuse", " call", ",", "kind 7"} {
		if s, err := ParseSet(text); err == nil || !strings.Contains(err.Error(), "call,fuse,notify,irq,idle,sched") {
			t.Errorf("%q: %v, %v, want an error that lists the kinds", text, s, err)
		}
	}
	if Kind(200).String() != "kind 200" {
		t.Error(Kind(200))
	}
}

func TestSlots(t *testing.T) {
	for _, tt := range []struct{ name, slots int }{{0, 1}, {InlineName, 1}, {InlineName + 1, 2}, {InlineName + SlotSize, 2}, {MaxName, 4}} {
		if n := Slots(tt.name); n != tt.slots {
			t.Errorf("a name of %d bytes takes %d slots, want %d", tt.name, n, tt.slots)
		}
	}
}

func TestHeader(t *testing.T) {
	h := Header{Type: FrameName, CPU: 5, Size: 1234, Value: 1 << 40}
	b := h.AppendTo(nil)
	if got, err := ParseHeader(b); len(b) != HeaderSize || err != nil || got != h {
		t.Errorf("%+v, %v", got, err)
	}
	b[HeaderSize-1]++
	if _, err := ParseHeader(b); err == nil {
		t.Error("no error for what is no header")
	}
	if _, err := ParseHeader(Header{Size: MaxFrame + 1}.AppendTo(nil)); err == nil {
		t.Error("no error for a frame that is too large")
	}
	if _, err := ParseHeader(nil); err == nil {
		t.Error("no error for nothing")
	}
	c := Clock{1, 2, -3}
	if got, err := ParseClock(c.AppendTo(nil)); err != nil || got != c {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := ParseClock(make([]byte, ClockSize-1)); err == nil {
		t.Error("no error for a short clock")
	}
}

// TestEndOfCall: the word that the kernel has as a constant is that of Word.
func TestEndOfCall(t *testing.T) {
	if got, want := EndOfError|5<<OpShift, Word(Call, End|One|NoReply, 5, 0); got != want {
		t.Errorf("%#x, want %#x", got, want)
	}
	if got, want := EndOfCall|257<<OpShift|2<<ErrnoShift, Word(Call, End|One, 257, 2); got != want {
		t.Errorf("%#x, want %#x", got, want)
	}
}

func TestParse(t *testing.T) {
	var s [SlotSize]byte
	PutHead(&s, 1, 2, Word(Fuse, End|Async, 3, 4), 5, 6, 7, 3)
	copy(s[NameAt:], "abc")
	e, n := Parse(s[:])
	if want := (Event{Time: 1, G: 2, Kind: Fuse, Flags: End | Async, Op: 3, Errno: 4, A: 5, B: 6, C: 7, Name: "abc"}); e != want || n != SlotSize {
		t.Errorf("%+v, %d bytes, want %+v", e, n, want)
	}
	PutHead(&s, 1, 2, Word(Call, End|One|NoReply, 3, 0), 2, 6, 7, 0)
	if e, _ := Parse(s[:]); e != (Event{Time: 1, G: 2, Kind: Call, Flags: End | One, Op: 3, Errno: 2}) {
		t.Errorf("%+v, want an error number and what was written alone", e)
	}
	if _, n := Parse(s[:SlotSize-1]); n != 0 {
		t.Errorf("%d bytes of an event that is not all there", n)
	}
	for size := range 256 { // whatever a guest says of its name
		s[22] = byte(size)
		b := append(s[:], make([]byte, 3*SlotSize)...)
		if e, n := Parse(b); n != Slots(min(size, MaxName))*SlotSize || len(e.Name) != min(size, MaxName) {
			t.Errorf("a name of %d bytes: %d bytes, in %d", size, len(e.Name), n)
		}
		if _, n := Parse(b[:Slots(min(size, MaxName))*SlotSize-1]); n != 0 {
			t.Errorf("a name of %d bytes: %d bytes of an event that is not all there", size, n)
		}
	}
}
