//go:build tamago

package amd64

import (
	"fmt"
	"sync"
	"sync/atomic"
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/arch/amd64/reg"
)

//go:linkname interruptWait runtime.interruptWait
func interruptWait(v uint8)

//go:linkname interruptWake runtime.interruptWake
func interruptWake(v uint8)

var (
	vectors     sync.Mutex
	vectorOwner [256]*Interrupt
	// interruptCounts is counted up by trapEntry.
	interruptCounts [256]uint64
)

// Interrupt is an interrupt vector that wakes a goroutine.
type Interrupt struct {
	vector uint8
	name   string
	state  atomic.Int32
}

// States of an interrupt.
const (
	stateIdle = iota
	stateAwaited
	stateClosed
)

// Wait parks the goroutine until the interrupt has fired since the last call, or
// what had its vector before fires late. It returns false after Close. One
// goroutine may wait at a time.
func (i *Interrupt) Wait() bool {
	if !i.state.CompareAndSwap(stateIdle, stateAwaited) {
		return false
	}
	interruptWait(i.vector)
	if i.state.CompareAndSwap(stateAwaited, stateIdle) {
		return true
	}
	i.free()
	return false
}

// Close ends Wait. The vector is free for another device once nobody waits for it.
func (i *Interrupt) Close() {
	switch i.state.Swap(stateClosed) {
	case stateIdle:
		i.free()
	case stateAwaited:
		interruptWake(i.vector)
	}
}

func (i *Interrupt) free() {
	vectors.Lock()
	vectorOwner[i.vector] = nil
	vectors.Unlock()
}

func newInterrupt(name string) (*Interrupt, error) {
	vectors.Lock()
	defer vectors.Unlock()
	for v := firstVector; v <= lastVector; v++ {
		if vectorOwner[v] == nil {
			i := &Interrupt{vector: uint8(v), name: name}
			vectorOwner[v] = i
			atomic.StoreUint64(&interruptCounts[v], 0)
			return i, nil
		}
	}
	return nil, fmt.Errorf("amd64: no interrupt vector is left for %s", name)
}

// MSI returns an interrupt and what a device writes where to raise it (Intel SDM
// vol. 3, 11.11): on the first CPU, whichever this is, as trapEntry expects.
func MSI() (addr uint64, data uint32, irq *Interrupt, err error) {
	irq, err = newInterrupt("MSI")
	if err != nil {
		return 0, 0, nil, err
	}
	return msiAddress(), uint32(irq.vector), irq, nil
}

// msiAddress is where a device writes to interrupt the first CPU.
func msiAddress() uint64 { return lapicBase | uint64(apicIDs[0])<<12 }

// lines are the interrupts of the I/O APICs' lines.
var lines struct {
	sync.Mutex
	chips []ioapic
	owner map[int]*Interrupt
}

// ioapics returns the I/O APICs. The lock of lines is held.
func ioapics() []ioapic {
	if lines.chips == nil {
		lines.chips = findIOAPICs()
	}
	return lines.chips
}

// ISALine returns the interrupt of a line of the ISA bus, as Line does.
func ISALine(n int) (*Interrupt, error) { return Line(firmware.Processors.Line(n)) }

// Line returns the edge-triggered interrupt of an I/O APIC line, which it unmasks.
// A line leads to one vector: one that another device has is an error.
func Line(gsi int) (*Interrupt, error) {
	lines.Lock()
	defer lines.Unlock()
	if i := lines.owner[gsi]; i != nil && i.state.Load() != stateClosed {
		return nil, fmt.Errorf("amd64: interrupt line %d is another device's", gsi)
	}
	for _, io := range ioapics() {
		if !io.has(gsi) {
			continue
		}
		irq, err := newInterrupt(fmt.Sprint("line ", gsi))
		if err == nil {
			if lines.owner == nil {
				lines.owner = map[int]*Interrupt{}
			}
			lines.owner[gsi] = irq
			io.enable(gsi, irq.vector, apicIDs[0], firmware.Processors.ActiveLow(gsi))
		}
		return irq, err
	}
	return nil, fmt.Errorf("amd64: interrupt line %d: no I/O APIC has it", gsi)
}

// InterruptCount is a line of /proc/interrupts.
type InterruptCount struct {
	Vector uint8
	Name   string
	Count  uint64
}

// InterruptCounts returns how often each interrupt in use has fired.
func InterruptCounts() []InterruptCount {
	vectors.Lock()
	defer vectors.Unlock()
	var counts []InterruptCount
	for v, i := range vectorOwner {
		if i != nil {
			counts = append(counts, InterruptCount{uint8(v), i.name, atomic.LoadUint64(&interruptCounts[v])})
		}
	}
	return counts
}

// initInterrupts starts the local APIC and its timer, and enables interrupts.
func initInterrupts() {
	// The old interrupt controllers are masked: their vectors are exceptions.
	reg.Out8(0x21, 0xff)
	reg.Out8(0xa1, 0xff)
	enableLocalAPIC()
	apicIDs[0] = ownAPICID()
	vectorOwner[timerVector] = &Interrupt{vector: timerVector, name: "timer"}
	initTimer()
	sti()
}

func sti()
