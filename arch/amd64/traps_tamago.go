//go:build tamago

package amd64

// Interrupt vectors. Those below 32 are exceptions.
const (
	firstVector    = 0x30
	lastVector     = 0xef
	timerVector    = 0xf0
	preemptVector  = 0xf1 // from another CPU, for the runtime
	wakeVector     = 0xf2 // from another CPU, to leave a halt
	flushVector    = 0xf3 // from another CPU, to forget translations (flushTLB)
	spuriousVector = 0xff

	// interruptHeeded is what runtime.interruptNew has then.
	interruptHeeded = 2

	idtGate = 0x8e // present, ring 0, 64-bit interrupt gate: interrupts stay off
)

// Interrupt stack table slots.
const (
	istFault     = 1
	istInterrupt = 2
	istAbort     = 3 // what may come in the midst of the others: NMI, #DF, #MC
)

// exceptions that push an error code (Intel SDM vol. 3, table 6-1).
const errorCodes = 1<<8 | 1<<10 | 1<<11 | 1<<12 | 1<<13 | 1<<14 | 1<<17 | 1<<21 | 1<<29 | 1<<30

// initTraps fills descriptor tables and the entry stubs, one for each vector,
// which push what trapEntry wants to find: an error code, if the CPU pushes none,
// and the vector.
func initTraps() {
	tss := sliceAt[uint32](tssAddr, 26)
	clear(tss) // a boot loader leaves anything there
	for slot, top := range [...]uint32{istFault: faultStack, istInterrupt: interruptStack, istAbort: abortStack} {
		if slot > 0 {
			tss[7+2*slot] = top // IST1 lies at byte 36
		}
	}
	tss[25] = 104 << 16 // no I/O permission map
	gdt := sliceAt[uint64](gdtAddr+tssSegment, 2)
	d := tssDescriptor(tssAddr)
	gdt[0], gdt[1] = d[0], d[1]

	stubs := sliceAt[byte](stubsAddr, pageSize)
	idt := sliceAt[uint64](idtAddr, 512)
	target := uint32(trapEntryAddr())
	for v := uint32(0); v < 256; v++ {
		s := stubs[v*16 : v*16+16]
		s[0], s[1] = 0x6a, 0x00 // PUSH 0
		if v < 32 && errorCodes>>v&1 != 0 {
			s[0], s[1] = 0x66, 0x90 // NOP
		}
		s[2] = 0x68 // PUSH vector
		put32(s[3:7], v)
		s[7] = 0xe9 // JMP trapEntry
		put32(s[8:12], target-(stubsAddr+v*16+12))

		ist := uint64(istInterrupt)
		switch {
		case v == 2 || v == 8 || v == 18:
			ist = istAbort
		case v < 32:
			ist = istFault
		}
		offset := uint64(stubsAddr + v*16)
		idt[2*v] = offset&0xffff | codeSegment<<16 | ist<<32 | idtGate<<40 | offset>>16<<48
		idt[2*v+1] = 0
	}
	loadTraps(tssSegment)
	enableSystemCalls()
}

// tssDescriptor describes the 64-bit task state segment at addr (Intel SDM vol. 3,
// 8.2.3).
func tssDescriptor(addr uint64) [2]uint64 {
	return [2]uint64{103 | addr&0xffffff<<16 | 0x89<<40 | addr>>24&0xff<<56, addr >> 32}
}

func put32(b []byte, v uint32) {
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
}

// trapEntryAddr returns the address of trapEntry.
func trapEntryAddr() uintptr

// loadTraps loads the interrupt descriptor table and the task register.
func loadTraps(selector uint64)

// enableSystemCalls has the instruction SYSCALL lead to the kernel.
func enableSystemCalls()

// earlyTrap reports an exception that the runtime cannot, because it has not
// started or because the exception came while it dealt with another one. f points
// to the runtime's trapFrame.
//
//go:nosplit
func earlyTrap(f *[23]uint64) {
	for _, x := range [...]struct {
		name  string
		value uint64
	}{{"yolk: exception ", f[16]}, {" code ", f[17]}, {" rip ", f[18]}, {" rsp ", f[21]}, {" cr2 ", f[15]}, {" rax ", f[14]}} {
		printString(x.name)
		printHex(x.value)
	}
	printk('\n')
	exit(2)
}

//go:nosplit
func printString(s string) {
	for i := 0; i < len(s); i++ {
		printk(s[i])
	}
}

//go:nosplit
func printHex(v uint64) {
	for shift := 60; shift >= 0; shift -= 4 {
		if d := v >> shift; d != 0 || shift == 0 {
			printk("0123456789abcdef"[d&15])
		}
	}
}
