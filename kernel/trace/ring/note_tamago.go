//go:build tamago

package ring

import (
	"unsafe"

	"github.com/yolkos/yolk/kernel/trace/wire"
)

// CPUs are the rings of the CPUs; every CPU has one.
var CPUs [64]*Ring

// GoroutineID is where the runtime has the number of a goroutine in its g, in bytes.
var GoroutineID uintptr

// Note puts an event into the ring of the running CPU, with the time and the number of the
// goroutine. It is Put in some 35 instructions.
func Note(word, a, b, c uint64)

// NoteOne is Note with one number, for a word with wire.One: the others stay what they were.
func NoteOne(word, a uint64)

// noteName is Note with a name of at most wire.InlineName bytes.
//
//go:noescape
func noteName(word, a, b, c uint64, name string)

// stamp returns the time-stamp counter, the number of the running goroutine, 0 where
// a CPU idles, and that of the CPU.
func stamp() (tsc, id, cpu uint64)

// NoteName is Note with a name.
func NoteName(word, a, b, c uint64, name string) {
	if len(name) <= wire.InlineName {
		noteName(word, a, b, c, name)
	} else {
		noteLong(word, a, b, c, name)
	}
}

//go:noinline
func noteLong(word, a, b, c uint64, name string) {
	var text [wire.MaxName]byte
	n := copy(text[:], name)
	NoteBytes(word, a, b, c, text[:n])
}

// NoteBytes is Note with a name that is no string.
func NoteBytes(word, a, b, c uint64, name []byte) {
	if len(name) <= wire.InlineName {
		noteName(word, a, b, c, unsafe.String(unsafe.SliceData(name), len(name)))
		return
	}
	tsc, id, cpu := stamp()
	CPUs[cpu&63].Put(tsc, id, word, a, b, c, name)
}

// Now is the time-stamp counter.
func Now() uint64 {
	tsc, _, _ := stamp()
	return tsc
}

// Goroutine is the number of the running goroutine.
func Goroutine() uint64 {
	_, id, _ := stamp()
	return id
}
