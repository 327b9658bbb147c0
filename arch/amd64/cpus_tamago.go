//go:build tamago

package amd64

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"
)

// The first CPU boots; the others wait for its start-up interrupt (Intel SDM
// vol. 3, 9.4.4), take the next free area each, and go into the idle context of
// the runtime's core of that number. Whoever does not come is not missed: the
// threads that it would run stay in the list for the others.

const maxCPUs = 64 // as many as the runtime has cores

// cpuArea is what each CPU has for itself. The first one has fixed places instead
// (layout.go).
type cpuArea struct {
	tls      [2]uintptr // g of the runtime, and the number of the CPU at FS:0
	stack    uintptr    // of the idle context, its top
	selector uint64     // of the task state segment
	tss      [26]uint32
	stacks   [3][32 << 10]byte // for interrupts, see istFault
}

var (
	//go:linkname cpuCount runtime.coreCount
	cpuCount int32
	// cpusArrived is how many CPUs besides the first have come.
	cpusArrived int32
	cpuAreas    [maxCPUs]*cpuArea
	// apicIDs are the IDs of the local APICs of the CPUs that have come.
	apicIDs [maxCPUs]uint32
)

//go:linkname coreContext runtime.coreContext
func coreContext(i int32) (sp, gp uintptr)

//go:linkname coreKick runtime.coreKick
var coreKick func(i int32, preempt bool)

// cpusFound is how many CPUs the machine has, of which the first maxCPUs are used.
var cpusFound int

// CPUsFound returns how many CPUs the machine has, and how many of them are used.
func CPUsFound() (found, used int) { return cpusFound, int(cpuCount) }

// initCPUCount finds out how many CPUs the machine has: by the ACPI tables, else it
// asks QEMU.
func initCPUCount() {
	cpusFound = len(firmware.Processors.IDs())
	if cpusFound == 0 && fwPresent() {
		fwSelect(fwCPUs)
		var n [2]byte
		fwRead(n[:])
		cpusFound = int(binary.LittleEndian.Uint16(n[:]))
	}
	cpuCount = int32(min(max(cpusFound, 1), maxCPUs))
}

// StartCPUs starts all CPUs but the running one, and does not wait for them. It
// is for the end of the boot, when all devices are in use: QEMU 7.2, each time
// that its memory map changes, as by the command register of a PCI function, loses
// what other CPUs write to devices at that moment, such as the end of an interrupt,
// without which there is no other one. (Later versions have the other CPUs look
// at the new map themselves.)
func StartCPUs() {
	if cpuCount == 1 {
		return
	}
	coreKick = kick
	vectorOwner[preemptVector] = &Interrupt{vector: preemptVector, name: "preempt"}
	vectorOwner[wakeVector] = &Interrupt{vector: wakeVector, name: "wake"}
	gdt := sliceAt[uint64](gdtAddr, tssSegment/8+2*maxCPUs)
	for i := int32(1); i < cpuCount; i++ {
		a := new(cpuArea)
		a.stack, a.tls[0] = coreContext(i)
		a.tls[1] = uintptr(i)
		for slot := range a.stacks {
			top := uint64(uintptr(unsafe.Pointer(&a.stacks[slot]))) + uint64(len(a.stacks[slot]))&^15
			a.tss[9+2*slot], a.tss[10+2*slot] = uint32(top), uint32(top>>32)
		}
		a.tss[25] = 104 << 16
		a.selector = tssSegment + 16*uint64(i)
		d := tssDescriptor(uint64(uintptr(unsafe.Pointer(&a.tss))))
		gdt[a.selector/8], gdt[a.selector/8+1] = d[0], d[1]
		cpuAreas[i] = a
	}
	page := sliceAt[byte](trampolineAddr, pageSize)
	copy(page, trampoline(uint32(cpuEntryAddr())))
	mapLock.Lock()
	tables.mapRange(Range{trampolineAddr, trampolineAddr + pageSize}, ptePresent)
	loadTables(pml4Addr)
	mapLock.Unlock()

	commandOthers(icrInit)
	commandOthers(icrStartUp | trampolineAddr/pageSize)
	for t := nanotime(); nanotime() < t+200_000; {
	}
	commandOthers(icrStartUp | trampolineAddr/pageSize)
}

// commandOthers sends an interrupt command to all CPUs but the running one: those
// that the ACPI tables name, else whoever there is.
func commandOthers(command uint32) {
	ids := firmware.Processors.IDs()
	cli()
	if len(ids) == 0 {
		sendIPI(0, icrOthers|icrAssert|command)
	}
	self := ownAPICID()
	for _, id := range ids {
		if id != self && (x2apic || id < 0xff) {
			sendIPI(id, icrAssert|command)
			waitIPI()
		}
	}
	sti()
}

// cpuMain prepares the CPU whose area is a. It runs in the idle context: it must
// not allocate or panic.
func cpuMain(a *cpuArea) {
	i := a.tls[1]
	loadTraps(a.selector)
	enableSystemCalls()
	enterAPICMode()
	enableLocalAPIC()
	atomic.StoreUint32(&apicIDs[i], ownAPICID())
	cpuStates[i].arrived.Store(true)
	cpuStates[i].idleTime.Store(nanotime()) // so far
	arm(slice)
	sti()
}

// kick interrupts CPU i. With preempt the runtime gets a trap there, otherwise
// the CPU just leaves its halt.
func kick(i int32, preempt bool) {
	vector := uint32(wakeVector)
	if preempt {
		vector = preemptVector
	}
	interrupt(i, vector)
}

// interrupt raises vector on CPU i.
func interrupt(i int32, vector uint32) {
	cli() // the handlers of devices use the register, too
	sendIPI(atomic.LoadUint32(&apicIDs[i]), icrAssert|vector)
	sti()
}

// trampoline returns the code by which a CPU gets from its start-up interrupt, in
// real mode with CS at the page's segment, to entry in 64-bit mode, with the page
// and segment tables of the first CPU. Paging and protection are turned on at once.
func trampoline(entry uint32) []byte {
	var code []byte
	at := func() int { return len(code) }
	emit := func(b ...byte) { code = append(code, b...) }
	imm := func(v uint32) { code = binary.LittleEndian.AppendUint32(code, v) }

	emit(0xfa, 0xfc)             // CLI; CLD
	emit(0x8c, 0xc8, 0x8e, 0xd8) // MOV AX, CS; MOV DS, AX
	emit(0x66, 0xb8)             // MOV EAX, PAE | PGE | OSFXSR | OSXMMEXCPT
	imm(1<<5 | 1<<7 | 1<<9 | 1<<10)
	emit(0x0f, 0x22, 0xe0) // MOV CR4, EAX
	emit(0x66, 0xb8)       // MOV EAX, PML4
	imm(pml4Addr)
	emit(0x0f, 0x22, 0xd8) // MOV CR3, EAX
	emit(0x66, 0xb9)       // MOV ECX, EFER
	imm(0xc0000080)
	emit(0x0f, 0x32) // RDMSR
	emit(0x66, 0x0d) // OR EAX, LME | NXE
	imm(1<<8 | 1<<11)
	emit(0x0f, 0x30)                   // WRMSR
	emit(0x66, 0x0f, 0x01, 0x16, 0, 0) // LGDT, from the end of this code
	gdtr := at() - 2
	emit(0x66, 0xb8) // MOV EAX, PE | MP | ET | NE | WP | PG
	imm(1<<0 | 1<<1 | 1<<4 | 1<<5 | 1<<16 | 1<<31)
	emit(0x0f, 0x22, 0xc0) // MOV CR0, EAX
	emit(0x66, 0xea)       // JMP code:entry
	imm(entry)
	emit(codeSegment, 0)

	binary.LittleEndian.PutUint16(code[gdtr:], uint16(at()))
	emit(0xef, 0x0f) // limit, as in entry_tamago_amd64.s
	imm(gdtAddr)
	return code
}

// cpuEntryAddr returns the address of cpuEntry.
func cpuEntryAddr() uintptr

// cpuIndex returns the number of the running CPU.
func cpuIndex() uintptr

// RunningCPU returns the number of the running CPU, which may be another one by now.
func RunningCPU() int { return int(cpuIndex()) }

// CPUs returns how many CPUs run.
func CPUs() int { return int(atomic.LoadInt32(&cpusArrived)) + 1 }
