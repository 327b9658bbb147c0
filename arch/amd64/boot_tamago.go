//go:build tamago

// Package amd64 is the machine: entry, memory map and paging, clock, interrupts,
// console and power of a PC or microvm started through PVH.
//
// What runs before the runtime (everything that boot calls) must not allocate,
// panic or start goroutines.
package amd64

import (
	"fmt"
	"runtime"
	"sync"
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/arch/amd64/embedded"
	"github.com/yolkos/yolk/arch/amd64/goos"
)

//go:linkname ramStart runtime/goos.RamStart
var ramStart uint

//go:linkname ramSize runtime/goos.RamSize
var ramSize uint

//go:linkname ramStackOffset runtime/goos.RamStackOffset
var ramStackOffset uint

//go:linkname memExtra runtime.memExtra
var memExtra [maxRanges]struct{ start, end uintptr }

//go:linkname memFresh runtime.memFresh
var memFresh [maxRanges]struct{ start, end uintptr }

var (
	// What the runtime starts with, see entry_tamago_amd64.s.
	bootArgc, bootArgv uintptr

	memory  memoryMap
	cmdline []byte // as it came
	// The words of the command line, each ended by NUL: the kernel's, the program's
	// arguments, the variables of its environment.
	ownWords, lineArgs, lineEnv []byte
	lineOpen                    byte // the mark that nothing closes; 0: there is none

	tables  pageTables
	mapLock sync.Mutex // for tables, after boot
)

// boot prepares the machine for the runtime. info is the address of the PVH start
// info or, if magic says so, that of a Multiboot 2 loader's.
func boot(info uintptr, magic uint32) {
	BeginStage("arch/amd64: memory map, ACPI tables")
	initUART()
	start, _ := imageBounds()
	findParts()
	end := uintptr(parts.End)
	si, ok := readLoader(info, magic, start, end)
	if !ok {
		fatal("yolk: the boot loader gave no memory map with the image in it: start it as a PVH kernel, with QEMU's -kernel, or by Multiboot 2\n")
	}
	copyCommandLine(uintptr(si.cmdline))
	initFirmware(si.rsdp)
	if uint64(end)+minRAM > memory.main.End {
		if magic == multibootMagic && memory.total > uint64(end)+2*minRAM {
			fatal("yolk: the firmware keeps memory for itself less than 8 MiB behind the image: yolk image makes images that lie elsewhere\n")
		}
		fatal("yolk: not enough memory: give the machine more, 8 MiB besides the image at least\n")
	}
	BeginStage("arch/amd64: exceptions, page tables")
	initTraps()
	initTables(start)
	initLocalAPICMode()
	BeginStage("arch/amd64: clock")
	initClock()
	BeginStage("arch/amd64: CPUs, arguments, memory")
	initCPUCount()
	initArgs()
	if firstBoot() && magic != multibootMagic && fwPresent() && si.modules == 0 {
		for i, r := range memory.fresh(uint64(end)) {
			memFresh[i].start, memFresh[i].end = uintptr(r.Start), uintptr(r.End)
		}
	}
	initDeviceMemory(end)

	ramStart = uint(start)
	ramSize = uint(memory.main.End) - uint(start)
	ramStackOffset = 0
	for i, r := range memory.extra[:memory.n] {
		memExtra[i].start, memExtra[i].end = uintptr(r.Start), uintptr(r.End)
	}
	BeginStage("runtime: heap, scheduler")
}

// Part of the RAM that is for what devices and their drivers share, such as rings, in
// bytes. File contents go straight to and from the program's buffers.
const (
	deviceShare = 64
	deviceMin   = 512 << 10
	deviceMax   = 16 << 20
)

// deviceMemory is that part. It does not come from the heap, whose first collection it
// would bring about, and whose size it would be a part of.
var deviceMemory Range

// initDeviceMemory takes it from the end of the RAM, below which end is that of the image.
func initDeviceMemory(end uintptr) {
	size := min(max(memory.total/deviceShare, deviceMin), deviceMax) &^ (pageSize - 1)
	if uint64(end)+minRAM+size > memory.main.End {
		return
	}
	memory.main.End -= size
	deviceMemory = Range{memory.main.End, memory.main.End + size}
}

// DeviceMemory returns the memory that devices and drivers share, which is contiguous;
// nil if there is too little RAM for any.
func DeviceMemory() []byte {
	return sliceAt[byte](uintptr(deviceMemory.Start), int(deviceMemory.Size()))
}

// readLoader reads what the boot loader gives, and the memory map.
func readLoader(info uintptr, magic uint32, start, end uintptr) (si startInfo, ok bool) {
	const limit = 1 << goos.HeapAddrBits
	if magic == multibootMagic {
		size := *at[uint32](info) // which the entry has bounded
		return memory.readMultiboot(sliceAt[byte](info, int(size)), info, start, end, limit)
	}
	p, ok := memory.readStartInfo(info, start, limit)
	if !ok {
		return si, false
	}
	memory.readModule(p, uint64(end))
	return *p, true
}

// firstBoot reports whether the machine boots for the first time since it was made:
// a reset leaves what is in its RAM.
func firstBoot() bool {
	const mark = 0x796f6c6b626f6f74
	p := at[uint64](bootMark)
	if *p == mark {
		return false
	}
	*p = mark
	return true
}

// minRAM is the least room behind the image, in bytes, with which the runtime
// comes up.
const minRAM = embedded.Room

// initTables replaces the permissions of the boot tables: code may be read and
// executed, constants read, everything else not executed, page 0 not touched.
// The tables are in use, so the running code never loses its permission.
func initTables(start uintptr) {
	tables = pageTables{root: pml4Addr, ram: &memory.main}
	deviceStart = (memory.lowEnd() + largePage - 1) &^ (largePage - 1)
	_, codeEnd := textPages()
	dataStart := dataPages()
	imageStart, imageData, lowRAM = uint64(start), dataStart, memory.main.End
	written = imageData
	if parts.Size() > 0 {
		written = parts.pages().End
	}
	const data = ptePresent | pteWrite | pteNoExec
	const rodata = ptePresent | pteNoExec
	codeStart := uint64(start + pageSize) // behind the page of the ELF header
	ok := tables.mapRange(Range{codeStart, codeEnd}, ptePresent) &&
		tables.mapRange(Range{codeEnd, dataStart}, rodata) &&
		tables.mapRange(Range{dataStart, deviceStart}, data) &&
		(parts.Size() == 0 || tables.mapRange(parts, rodata)) &&
		tables.mapRange(Range{deviceStart, 1 << 32}, data|pteNoCache) &&
		tables.mapRange(Range{uint64(start), codeStart}, rodata) &&
		tables.mapRange(Range{stubsAddr + pageSize, uint64(start)}, data) &&
		tables.mapRange(Range{stubsAddr, stubsAddr + pageSize}, ptePresent) &&
		tables.mapRange(Range{pageSize, stubsAddr}, data) &&
		tables.mapRange(Range{0, pageSize}, 0)
	for _, r := range memory.extra[:memory.n] {
		ok = ok && (r.End <= 1<<32 || tables.mapRange(r, data))
	}
	if !ok {
		fatal("yolk: not enough memory for page tables: give the machine more\n")
	}
	loadTables(pml4Addr)
}

// deviceStart is where the devices below 4 GiB begin: behind the RAM there.
var deviceStart uint64

// imageBounds returns the first byte of the program, the ELF header of its image, and
// the byte behind its last.
func imageBounds() (start, end uintptr) {
	code, _ := textPages()
	_, e := runtime.DataRegion()
	return uintptr(code) - pageSize, uintptr(e)
}

// Image returns where the parts of the image lie, in whole pages: its ELF header,
// code, constants and variables.
func Image() (header, code, constants, data Range) {
	start, end := imageBounds()
	codeStart, codeEnd := textPages()
	dataStart := dataPages()
	return Range{uint64(start), codeStart}, Range{codeStart, codeEnd}, Range{codeEnd, dataStart},
		Range{dataStart, (uint64(end) + pageSize - 1) &^ (pageSize - 1)}
}

// textPages returns the pages of the code.
func textPages() (start, end uint64) {
	start, end = runtime.TextRegion()
	return start &^ (pageSize - 1), (end + pageSize - 1) &^ (pageSize - 1)
}

// dataPages returns the first page of the writable data.
func dataPages() uint64 {
	start, _ := runtime.DataRegion()
	return start &^ (pageSize - 1)
}

// heapTables has page tables come from the runtime, whose the RAM is now that
// they came from at boot. (A block of the heap may lie elsewhere than at its
// addresses.)
func heapTables() {
	tables.ram = new(Range)
	tables.more = heapTable
}

// MapDevice makes the registers of a device at r reachable, uncached.
func MapDevice(r Range) error {
	mapLock.Lock()
	defer mapLock.Unlock()
	if deviceStart <= r.Start && r.Start < r.End && r.End <= 1<<32 {
		return nil // done at boot
	}
	if r.End <= r.Start || r.Start < 1<<32 || r.End > 1<<46 {
		return fmt.Errorf("amd64: cannot map a device at %#x-%#x: not between %#x and %#x", r.Start, r.End, deviceStart, uint64(1)<<46)
	}
	if !tables.mapRange(r, ptePresent|pteWrite|pteNoExec|pteNoCache) {
		return fmt.Errorf("amd64: no memory for the page tables of a device at %#x-%#x", r.Start, r.End)
	}
	loadTables(pml4Addr)
	return nil
}

// DeviceWindows returns the addresses that devices may be given: below 4 GiB,
// between the configuration space of a Q35 and the I/O APIC, and above all that the
// heap may have.
func DeviceWindows() (low, high Range) {
	low = Range{max(deviceStart, 0xc0000000), 0xfe000000}
	_, bits := addressBits()
	top := uint64(1) << min(bits, 46)
	high = Range{max(top/2, 1<<goos.HeapAddrBits), top}
	if high.Start >= high.End {
		high = Range{}
	}
	return low, high
}

// copyCommandLine keeps the kernel command line, which lies in memory that
// nothing reserves.
func copyCommandLine(p uintptr) {
	dst := sliceAt[byte](cmdlineMem, pageSize)
	n := 0
	for p != 0 && n < len(dst)-1 {
		c := *at[byte](p + uintptr(n))
		if c == 0 {
			break
		}
		dst[n] = c
		n++
	}
	cmdline = dst[:n]
	ownWords, lineArgs, lineOpen = unquote(sliceAt[byte](wordsMem, pageSize), cmdline)
	lineEnv = appendValues(sliceAt[byte](lineEnvMem, pageSize)[:0], ownWords, envWord)
}

// envWord begins the words of the command line that are variables of the environment.
const envWord = "yolk.env="

// CommandLine returns the kernel command line as it came; cut says that it was too
// long, and only its first bytes count.
func CommandLine() (line string, cut bool) { return string(cmdline), len(cmdline) == pageSize-1 }

// KernelWords returns those words of the command line that are not the program's.
func KernelWords() []string { return splitWords(ownWords) }

// MemoryBeyond returns how many bytes of RAM lie beyond all addresses of the heap.
func MemoryBeyond() uint64 { return memory.beyond }

// Memory returns the total RAM in bytes and the ranges that the runtime has.
func Memory() (total uint64, ranges []Range) {
	ranges = append(ranges, Range{uint64(ramStart), uint64(ramStart + ramSize)})
	return memory.total, append(ranges, memory.extra[:memory.n]...)
}

// fatal ends the machine before there is a runtime to panic.
func fatal(msg string) {
	for i := 0; i < len(msg); i++ {
		printk(msg[i])
	}
	exit(1)
}

// loadTables makes CR3 point to the PML4 at p, which flushes the TLB.
func loadTables(p uintptr)
