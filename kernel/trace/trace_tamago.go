//go:build tamago

package trace

import (
	"math/bits"
	"syscall"
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/kernel"
	"github.com/yolkos/yolk/kernel/trace/ring"
	"github.com/yolkos/yolk/kernel/trace/wire"
	"github.com/yolkos/yolk/syscalls"
)

//go:linkname hooks github.com/yolkos/yolk/kernel.tracer
var hooks = &kernel.Tracer{
	Start:     start,
	Transport: func(t virtio.Transport) virtio.Transport { return newTransport(t) },
	Interrupt: func(i virtio.Interrupt) virtio.Interrupt { return newInterrupt(i) },
	Fuse:      func(t fuse.Transport) fuse.Transport { return newFuse(t) },
	Calls: func(k *syscalls.Kernel) syscall.Kernel {
		under = k
		return new(calls)
	},
	Ready: ready,
	Text:  text,
	Set:   set,
}

//go:linkname goosIdle runtime/goos.Idle
var goosIdle func(until int64)

//go:linkname traceSwitches runtime.traceSwitches
func traceSwitches(run func(id uint64, left uint32), wake func(id, by uint64))

//go:linkname switchLeft runtime.switchLeft
func switchLeft() uint32

//go:linkname switchReason runtime.switchReason
func switchReason(left uint32) string

//go:linkname switchWaitsForFile runtime.switchWaitsForFile
func switchWaitsForFile(on bool)

var (
	tr   tracer
	idle func(until int64) // the machine's
)

// How many slots a CPU has: so many that sending them is cheap for each, where there is the RAM.
const (
	maxRing = 32768
	minRing = 1024
)

// start makes the rings and turns tracing on.
func start() {
	kinds, err := wire.ParseSet(kernel.Setting(wire.Setting))
	if err != nil || kinds == 0 {
		kinds = wire.All
	}
	off, found := amd64.FindGoroutineID()
	ring.GoroutineID = off
	if !found {
		kernel.Log("trace: the runtime does not tell where it has the numbers of goroutines: others stand for them")
	}
	slots := maxRing
	_, cpus := amd64.CPUsFound()
	for total, _ := amd64.Memory(); slots > minRing && uint64(cpus*slots*wire.SlotSize) > total/32; {
		slots /= 2
	}
	for i := range cpus {
		ring.CPUs[i] = ring.New(slots)
	}
	tr.wake = make(chan struct{}, 1)
	for _, h := range &hotCalls {
		tr.names[wire.CallNames].want(h.num)
	}
	for left := uint32(1); left < maxNames && switchReason(left) != switchReason(maxNames); left++ {
		tr.names[wire.LeftNames].want(uint16(left))
	}
	tr.wanted.Store(uint32(kinds))
	ring.State.Store(uint32(kinds))
	fs.WaitsForFile = switchWaitsForFile
	traceSwitches(runs, wakes)
	idle = goosIdle
	goosIdle = tracedIdle
}

// tracedIdle stands in the idle context: there is nobody to be woken, or to wait for.
func tracedIdle(until int64) {
	left := uint32(0)
	if tr.has(wire.Sched) {
		left = switchLeft()
	}
	if !tr.has(wire.Idle) {
		if left != 0 {
			runs(0, left)
		}
		idle(until)
		return
	}
	// One event says that the CPU idles and, with that, that it runs nobody any more.
	ring.Note(wire.Word(wire.Idle, 0, 0, 0), uint64(until), uint64(left), 0)
	idle(until)
	ring.Note(wire.Word(wire.Idle, wire.End, 0, 0), amd64.TimerInterrupts(), 0, 0)
}

// runs notes that the CPU begins to run a goroutine, or with 0 none. It is on a stack of the system's.
//
//go:nosplit
func runs(id uint64, left uint32) {
	if tr.has(wire.Sched) {
		ring.Note(wire.Word(wire.Sched, 0, 0, 0), id, uint64(left), 0)
	}
}

// wakes notes that a goroutine can run again. It is on a stack of the system's.
//
//go:nosplit
func wakes(id, by uint64) {
	if tr.has(wire.Sched) {
		ring.Note(wire.Word(wire.Sched, wire.Single, 0, 0), id, by, 0)
	}
}

func set(text string) error {
	if !tr.set(text) {
		return syscall.EINVAL
	}
	if ring.State.Load() != 0 {
		ring.Note(wire.Word(wire.Call, wire.Single|wire.Restart, noNumber, 0), 0, 0, 0)
	}
	return nil
}

func text(b []byte) []byte { return tr.text(b, ring.CPUs[:], appendEvent) }

// appendEvent appends a line of /proc/yolk/trace.
func appendEvent(b []byte, e *wire.Event) []byte {
	base, scale := amd64.CounterClock()
	p := printer{
		ns: func(tsc uint64) uint64 {
			hi, lo := bits.Mul64(tsc-base, scale)
			return hi<<32 | lo>>32
		},
		name: eventName,
	}
	return p.append(b, e)
}

func eventName(e *wire.Event) string {
	switch e.Kind {
	case wire.Call:
		return callName(int(e.Op))
	case wire.Fuse:
		return fuse.OpName(uint32(e.Op & 0xff))
	case wire.Notify, wire.Interrupt:
		return nameOfDevice(int(e.A))
	case wire.Sched:
		if e.Is(wire.Single) {
			return "wakes"
		}
		return switchReason(uint32(e.B))
	case wire.Idle:
		return switchReason(uint32(e.B)) // of an end, 0
	}
	return ""
}
