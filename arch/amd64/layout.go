package amd64

// Fixed places below the image, in the RAM from 1 MiB to 2 MiB, which a PVH boot
// loader leaves free. layout.h has the same numbers for assembly.
const (
	bootArea    = 0x100000
	bootAreaEnd = 0x200000

	pml4Addr   = 0x100000
	stubsAddr  = 0x106000 // entry stubs of the interrupt vectors, one page
	gdtAddr    = 0x108000
	idtAddr    = 0x109000
	tssAddr    = 0x10a000
	cmdlineMem = 0x10b000 // copy of the command line, one page
	bootMark   = 0x10c000 // a word that tells the first boot
	wordsMem   = 0x10d000 // the words of the command line, and
	lineEnvMem = 0x10e000 // the environment among them, one page each

	// Tops of the interrupt stacks, 32 KiB each.
	faultStack     = 0x118000
	interruptStack = 0x120000
	abortStack     = 0x128000

	codeSegment = 0x08
	dataSegment = 0x10
	tssSegment  = 0x18 // of the first CPU; those of the others follow, 16 bytes each
)

// trampolineAddr is where the other CPUs start: a page below 1 MiB, which the boot
// loader does not need any more then.
const trampolineAddr = 0x8000

const pageSize = 4096
