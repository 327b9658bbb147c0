//go:build tamago

package amd64

import (
	"unsafe"

	"github.com/yolkos/yolk/arch/amd64/embedded"
)

// Names of the launcher's files, see FwCfg.
const (
	ArgsFile  = "opt/yolk/args"  // arguments, each ended by NUL
	EnvFile   = "opt/yolk/env"   // KEY=VALUE, each ended by NUL
	CwdFile   = "opt/yolk/cwd"   // working directory
	FlagsFile = "opt/yolk/flags" // lines of key=value for the kernel
	TimeFile  = "opt/yolk/time"  // nanoseconds since 1970 at the start
	SeedFile  = "opt/yolk/seed"  // random bytes, other ones for each machine
)

// list is a list of strings, each ended by NUL, of the launcher or the boot loader.
type list struct {
	size   uint32
	data   []byte // nil: a file of the firmware-configuration device, with
	key    uint16 // this key
	unsaid bool   // the program's name is not in it
}

// findList looks for a list: a file of the firmware-configuration device, else what
// the command line has of it, else a file in the boot loader's module.
func findList(name string, line []byte) list {
	if key, size, ok := fwFind(name); ok {
		return list{size: size, key: key}
	}
	if len(line) > 0 {
		return list{size: uint32(len(line)), data: line, unsaid: true}
	}
	b := moduleFile(name)
	return list{size: uint32(len(b)), data: b}
}

// partList is a list that the image carries.
func partList(name string) list {
	b, _ := Embedded(name)
	return list{size: uint32(len(b)), data: b}
}

// BrokenBoot tells what is wrong with what the boot loader has brought, and counts as far as it goes: the mark
// in the command line that nothing closes, or 0, and the byte of the module where it ends to be an archive, or -1.
func BrokenBoot() (mark byte, module int) { return lineOpen, brokenAt(moduleBytes()) }

// moduleFile returns a file in the boot loader's module, if that is an archive.
func moduleFile(name string) []byte {
	if memory.module.Size() == 0 { // as nearly always
		return nil
	}
	return archiveFile(moduleBytes(), name)
}

func moduleBytes() []byte {
	m := memory.module
	if m.Size() == 0 {
		return nil
	}
	return sliceAt[byte](uintptr(m.Start), int(m.Size()))
}

// BootFile returns a file of the launcher's, or one in the boot loader's module.
func BootFile(name string) ([]byte, bool) {
	if b, ok := FwCfg(name); ok {
		return b, true
	}
	b := moduleFile(name)
	return b, b != nil
}

// initArgs puts arguments, environment and auxiliary vector at the end of the RAM,
// laid out as the System V ABI has it, so that the runtime takes them as on any
// system. Arguments that are given go before those in the image; the environment
// that is given has the image's behind it, and the first of a name counts.
func initArgs() {
	args, env := findList(ArgsFile, lineArgs), findList(EnvFile, lineEnv)
	ownArgs, ownEnv := partList(embedded.Args), partList(embedded.Env)
	if args.size == 0 {
		args = ownArgs
	}
	size := uint64(args.size) + uint64(env.size) + uint64(ownEnv.size)
	// The strings, and in the worst case, all of them empty, a pointer for each byte.
	// The runtime and package syscall make slices and a map of them.
	room := (size*9 + argsEnds + pageSize) &^ (pageSize - 1)
	if parts.End+minRAM+4*room > memory.main.End {
		fatal("yolk: arguments and environment are too large for the memory: give the machine more\n")
	}
	memory.main.End -= room
	strings := uintptr(memory.main.End)
	pointers := strings + uintptr(size+16)&^7

	argc := uintptr(0)
	p := pointers
	if !args.unsaid {
		p, argc = args.read(p, strings)
	}
	if argc == 0 {
		// The first argument is always there: the program's name.
		*at[uintptr](p) = uintptr(unsafe.Pointer(&programName[0]))
		p, argc = p+8, 1
	}
	if args.unsaid {
		var n uintptr
		p, n = args.read(p, strings)
		argc += n
	}
	*at[uintptr](p) = 0
	strings += uintptr(args.size)
	p, _ = env.read(p+8, strings)
	p, _ = ownEnv.read(p, strings+uintptr(env.size))
	*at[uintptr](p) = 0
	putAuxv(p+8, *at[uintptr](pointers))
	bootArgc, bootArgv = argc, pointers
}

// argsEnds is what else lies with the strings and their addresses: the ends of the
// lists, the first argument and the auxiliary vector.
const argsEnds = 64 + auxvSize

var programName = [...]byte{'y', 'o', 'l', 'k', 0}

// read copies the strings to dst, writes their addresses from p on and returns where
// they end and how many they are. A last string without its NUL is not counted.
func (l *list) read(p, dst uintptr) (end, n uintptr) {
	if l.size == 0 {
		return p, 0
	}
	b := sliceAt[byte](dst, int(l.size))
	if l.data != nil {
		copy(b, l.data)
	} else {
		fwSelect(l.key)
		fwRead(b)
	}
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
