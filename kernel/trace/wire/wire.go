// Package wire is the language in which a traced kernel tells the launcher what has
// happened: events in slots of fixed size, as they lie in the kernel's memory, and
// frames around them. Both sides use it, and it knows nothing of either.
//
// A stream begins with Magic. Frames follow: a header, and as many bytes as it says.
// All numbers are little-endian.
package wire

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Magic begins a stream; the last byte is the version.
const Magic = "YOLKTRC\x01"

// PortName is the launcher's port for it.
const PortName = "yolk.trace"

// Setting is the launcher's setting with the kinds of events to begin with.
const Setting = "trace"

// Sizes in bytes.
const (
	SlotSize   = 64
	InlineName = 16 // of a name, in the first slot of an event
	HeaderSize = 24
	// MaxName is how much of a name is kept.
	MaxName = InlineName + 3*SlotSize
	// MaxFrame is the largest size of what follows a header: a ring.
	MaxFrame = 16 << 20
	// ClockSize is that of a Clock.
	ClockSize = 24
)

// Kind is what an event is about.
type Kind uint8

// The kinds of events.
const (
	Call      Kind = iota // a system call
	Fuse                  // a FUSE request and its reply
	Notify                // a device is told of a queue
	Interrupt             // a device has interrupted, as its driver sees it
	Idle                  // a CPU has nothing to do, and runs no goroutine any more
	Sched                 // a CPU runs another goroutine, or with Single: a goroutine can run again
	Kinds                 // how many there are
)

var kindNames = [Kinds]string{"call", "fuse", "notify", "irq", "idle", "sched"}

func (k Kind) String() string {
	if k < Kinds {
		return kindNames[k]
	}
	return fmt.Sprint("kind ", uint8(k))
}

// Set is a set of kinds.
type Set uint32

// All has every kind.
const All Set = 1<<Kinds - 1

// Has reports whether k is in the set.
func (s Set) Has(k Kind) bool { return s>>k&1 != 0 }

// String lists the kinds, separated by commas.
func (s Set) String() string {
	var words []string
	for k := range Kinds {
		if s.Has(k) {
			words = append(words, kindNames[k])
		}
	}
	return strings.Join(words, ",")
}

// ParseSet reads what String writes.
func ParseSet(text string) (s Set, err error) {
	if text == "" {
		return 0, nil
	}
	for word := range strings.SplitSeq(text, ",") {
		k := slices.Index(kindNames[:], word)
		if k < 0 {
			return 0, fmt.Errorf("there is no kind of event %q; the kinds are %s", word, All)
		}
		s |= 1 << k
	}
	return s, nil
}

// Flags of an event.
const (
	End      = 1 << iota // what began with an event of the same goroutine, or unique, is over
	Async                // a FUSE request that goes on while its goroutine does other things
	ByNumber             // a system call by number, not by a method
	NoReply              // a FUSE message that has no reply; of a call that it has no result but its error number, A
	Single               // neither a begin nor an end
	Restart              // with Single: tracing was turned on; what has begun before may have ended unseen
	Entry                // of FUSE, with Single: an entry of a directory and its node, in a reply
	One                  // of the numbers only A was written
)

// Places in the word that every event has: the kind and flags in its lowest bytes.
const (
	flagShift  = 8
	OpShift    = 16
	ErrnoShift = 32
	nameShift  = 48 // how many bytes the name has
	// OneNumber is One in the word.
	OneNumber = uint64(One) << flagShift
	// EndOfCall is the word of the end of a call but for its number and error number.
	EndOfCall = uint64(Call) | End<<flagShift | OneNumber
	// EndOfError is that of one whose result is A, an error number: of the end of it, nothing is to be computed.
	EndOfError = EndOfCall | NoReply<<flagShift
)

// Word packs the kind, flags, the operation and an error number.
func Word(k Kind, flags uint8, op uint16, errno uint16) uint64 {
	return uint64(k) | uint64(flags)<<flagShift | uint64(op)<<OpShift | uint64(errno)<<ErrnoShift
}

// AnyQueue is the queue of an interrupt that is that of all queues of its device.
const AnyQueue = -2

// Slots is how many slots an event takes whose name has n bytes, at most MaxName.
func Slots(n int) int { return 1 + (max(n-InlineName, 0)+SlotSize-1)/SlotSize }

// PutHead writes an event but for its name, of n bytes, to its first slot.
func PutHead(s *[SlotSize]byte, time, g, word, a, b, c uint64, n int) {
	binary.LittleEndian.PutUint64(s[0:], time)
	binary.LittleEndian.PutUint64(s[8:], g)
	binary.LittleEndian.PutUint64(s[16:], word|uint64(n)<<nameShift)
	binary.LittleEndian.PutUint64(s[24:], a)
	binary.LittleEndian.PutUint64(s[32:], b)
	binary.LittleEndian.PutUint64(s[40:], c)
}

// NameAt is where the name begins in the first slot.
const NameAt = SlotSize - InlineName

// NameLen is the length of the name of the event that begins with s.
func NameLen(s []byte) int { return min(int(s[22]), MaxName) }

// Event is an event as a reader has it. Of a begin A, B and C are, for
//
//	Call       the first three arguments; of the methods those that are numbers
//	Fuse       the node, the unique with the bytes of the request in the upper half,
//	           the offset; Op has the share in its upper byte
//	Notify     device and queue
//	Idle       the time until the next timer, in ns since the boot, and as of Sched, why the goroutine before does not
//	           run any more; 0 if that has been said, or Sched is not traced
//	Sched      the goroutine that the CPU runs until its next Sched or Idle, 0 if it runs none, and why the one before
//	           does not run any more
//
// and of an end
//
//	Call       the result
//	Fuse       the node of an entry, the unique with the bytes of the reply
//	Idle       how often timers have fired since the boot
//
// An Interrupt has device and queue; an Entry the node and, as C, that of the directory; a Sched with Single the goroutine, and the
// one that wakes it, 0 for a timer or the runtime.
type Event struct {
	Time  uint64 // of the time-stamp counter
	G     uint64 // the goroutine, 0 for none
	CPU   uint16
	Kind  Kind
	Flags uint8
	Op    uint16
	Errno uint16
	A     uint64
	B     uint64
	C     uint64
	Name  string
}

// Is reports whether the event has a flag.
func (e *Event) Is(flag uint8) bool { return e.Flags&flag != 0 }

// Frame types.
const (
	FrameEvents uint16 = 1 + iota // slots of a CPU; Value is how many events of it were lost so far
	FrameName                     // a name; Value is its space in the upper half, and its number
	FrameClock                    // a Clock; Value is when it was read
	FrameRound                    // Value is when the round began: all that was before has been sent
)

// Spaces of names.
const (
	CallNames   = iota // of system calls
	FuseNames          // of FUSE operations
	DeviceNames        // of virtio devices
	ShareNames         // of what FUSE requests go to
	LeftNames          // of why goroutines do not run any more
	Spaces             // how many there are
)

// Header begins a frame.
type Header struct {
	Type  uint16
	CPU   uint16
	Size  uint32 // bytes that follow
	Value uint64
}

// AppendTo appends the header to b.
func (h Header) AppendTo(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, h.Type)
	b = binary.LittleEndian.AppendUint16(b, h.CPU)
	b = binary.LittleEndian.AppendUint32(b, h.Size)
	b = binary.LittleEndian.AppendUint64(b, h.Value)
	return append(b, "YolkEvnt"...)
}

// ParseHeader reads a header.
func ParseHeader(b []byte) (h Header, err error) {
	if len(b) < HeaderSize || string(b[16:24]) != "YolkEvnt" {
		return h, fmt.Errorf("a frame begins with %q, which is no header", b[:min(len(b), HeaderSize)])
	}
	h = Header{binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:]), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint64(b[8:])}
	if h.Size > MaxFrame {
		return h, fmt.Errorf("a frame of %d bytes; the most is %d", h.Size, MaxFrame)
	}
	return h, nil
}

// Clock says how the time-stamp counter goes.
type Clock struct {
	Base  uint64 // of the counter at the boot
	Scale uint64 // nanoseconds of a count, in units of 2^-32
	Wall  int64  // of the wall clock when the frame's Value was read, in ns since 1970
}

// AppendTo appends the clock to b.
func (c Clock) AppendTo(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, c.Base)
	b = binary.LittleEndian.AppendUint64(b, c.Scale)
	return binary.LittleEndian.AppendUint64(b, uint64(c.Wall))
}

// ParseClock reads a clock.
func ParseClock(b []byte) (c Clock, err error) {
	if len(b) != ClockSize {
		return c, fmt.Errorf("a clock of %d bytes, want %d", len(b), ClockSize)
	}
	return Clock{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), int64(binary.LittleEndian.Uint64(b[16:]))}, nil
}

// Parse reads the event at the beginning of b, and returns how many bytes it has
// there; 0: not all of it is there.
func Parse(b []byte) (e Event, size int) {
	if len(b) < SlotSize {
		return e, 0
	}
	n := NameLen(b)
	if size = Slots(n) * SlotSize; len(b) < size {
		return e, 0
	}
	w := binary.LittleEndian.Uint64(b[16:])
	e = Event{
		Time: binary.LittleEndian.Uint64(b), G: binary.LittleEndian.Uint64(b[8:]),
		Kind: Kind(w), Flags: uint8(w >> flagShift), Op: uint16(w >> OpShift), Errno: uint16(w >> ErrnoShift),
		A: binary.LittleEndian.Uint64(b[24:]), B: binary.LittleEndian.Uint64(b[32:]), C: binary.LittleEndian.Uint64(b[40:]),
		Name: string(b[NameAt : NameAt+n]),
	}
	if e.Is(One) {
		e.B, e.C = 0, 0
	}
	if e.Kind == Call && e.Is(End) && e.Is(NoReply) {
		e.A, e.Errno, e.Flags = 0, uint16(e.A), e.Flags&^NoReply
	}
	return e, size
}
