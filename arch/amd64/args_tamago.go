//go:build tamago

package amd64

import "unsafe"

// Names of the launcher's files, see FwCfg.
const (
	ArgsFile  = "opt/yolk/args"  // arguments, each ended by NUL
	EnvFile   = "opt/yolk/env"   // KEY=VALUE, each ended by NUL
	CwdFile   = "opt/yolk/cwd"   // working directory
	FlagsFile = "opt/yolk/flags" // lines of key=value for the kernel
	TimeFile  = "opt/yolk/time"  // nanoseconds since 1970 at the start
	SeedFile  = "opt/yolk/seed"  // random bytes, other ones for each machine
)

// initArgs puts arguments, environment and auxiliary vector at the end of the RAM,
// laid out as the System V ABI has it, so that the runtime takes them as on any
// system.
func initArgs() {
	argKey, argSize, hasArgs := fwFind(ArgsFile)
	envKey, envSize, hasEnv := fwFind(EnvFile)
	if !hasArgs {
		argSize = 0
	}
	if !hasEnv {
		envSize = 0
	}
	size := uint64(argSize) + uint64(envSize)
	// The strings, and in the worst case, all of them empty, a pointer for each byte.
	// The runtime and package syscall make slices and a map of them.
	room := (size*9 + argsEnds + pageSize) &^ (pageSize - 1)
	if _, end := imageBounds(); uint64(end)+minRAM+4*room > memory.main.End {
		fatal("yolk: arguments and environment are too large for the memory: give the machine more\n")
	}
	memory.main.End -= room
	strings := uintptr(memory.main.End)
	pointers := strings + uintptr(size+16)&^7

	argc := uintptr(0)
	p := pointers
	p, argc = readStrings(p, strings, argKey, argSize)
	if argc == 0 {
		// The first argument is always there: the program's name.
		*at[uintptr](p) = uintptr(unsafe.Pointer(&programName[0]))
		p += 8
		argc = 1
	}
	*at[uintptr](p) = 0
	p, _ = readStrings(p+8, strings+uintptr(argSize), envKey, envSize)
	*at[uintptr](p) = 0
	putAuxv(p+8, *at[uintptr](pointers))
	bootArgc, bootArgv = argc, pointers
}

// argsEnds is what else lies with the strings and their addresses: the ends of the
// lists, the first argument and the auxiliary vector.
const argsEnds = 64 + auxvSize

var programName = [...]byte{'y', 'o', 'l', 'k', 0}

// readStrings reads a file of strings that end in NUL to dst, writes their
// addresses from p on and returns where they end and how many they are. A last
// string without its NUL is not counted.
func readStrings(p, dst uintptr, key uint16, size uint32) (end, n uintptr) {
	if size == 0 {
		return p, 0
	}
	fwSelect(key)
	b := sliceAt[byte](dst, int(size))
	fwRead(b)
	start := 0
	for i, c := range b {
		if c == 0 {
			*at[uintptr](p) = dst + uintptr(start)
			p += 8
			n++
			start = i + 1
		}
	}
	return p, n
}
