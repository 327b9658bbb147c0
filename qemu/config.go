// Package qemu starts a guest: it finds QEMU and a virtio-fs daemon, turns
// options into argument lists, starts both, and carries the guest's streams
// and exit status back.
//
// No socket or file outlives a run: everything that QEMU and the daemon share
// with this process is an inherited descriptor without a name.
package qemu

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Machine is one of QEMU's machine types.
type Machine string

// The machine types that the kernel knows.
const (
	MicroVM Machine = "microvm" // virtio over MMIO
	Q35     Machine = "q35"     // virtio over PCI Express
)

// Accel says how QEMU runs the guest's instructions.
type Accel string

// The accelerations; Auto is KVM where that is proved to work, else TCG.
const (
	Auto Accel = "auto"
	KVM  Accel = "kvm"
	TCG  Accel = "tcg"
)

// Port numbers that the kernel knows too.
const (
	controlPort = 0xe9 // isa-debugcon: lines from the kernel to this package
	exitPort    = 0xf4 // isa-debug-exit
)

// maxTag is the room for a tag in the device's configuration space, in bytes
// (virtio 1.2, 5.11.4).
const maxTag = 36

// Config is all that decides the command line of a QEMU process. Its
// descriptors are numbers in that process; 0 means that there is none.
type Config struct {
	Machine Machine
	Accel   Accel  // KVM or TCG
	Memory  uint64 // bytes
	CPUs    int    // 0: one
	Count   bool   // the guest's clock counts instructions, one a nanosecond, the same in each run; for TCG
	Kernel  string // ELF file with a PVH note
	Append  string // kernel command line

	Control int // lines of the control channel
	Console int // first serial port
	Stdin   int
	Stdout  int
	Stderr  int // 0: goes where standard output goes
	TTY     int // the terminal, for those of the three that are it
	Link    int // messages of launcher and kernel, package kernel/control
	Time    int // answers to the kernel's questions for the time
	Profile int // the program's profile, at its end
	Locks   int // the profile of its locks
	Monitor int // QEMU's monitor
	Events  int // what kernel/trace sees
	Debug   int // listening socket on which a debugger finds the machine, stopped at its first instruction

	Sandbox bool // QEMU gives up the system calls that it does not need

	Random bool // random bytes from this host's kernel
	Files  []File
	Shares []ShareFD
	Disks  []DiskFD
	Net    *NetDevice // nil: none
	Extra  []string   // arguments of QEMU's own, behind all others
}

// File is a firmware-configuration file that the guest can read.
type File struct {
	Name string // for example opt/yolk/args
	FD   int
}

// ShareFD is a virtio-fs device, its daemon behind a connected socket.
type ShareFD struct {
	Tag string
	FD  int
}

// Args returns the arguments of QEMU, without its name.
func (c *Config) Args() []string {
	args := []string{
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-bios", "qboot.rom",
		"-machine", c.machine(),
		"-cpu", c.cpu(),
		"-smp", c.smp(),
		"-m", fmt.Sprintf("%dM", c.Memory>>20),
		// A vhost-user daemon maps the guest's memory.
		"-object", fmt.Sprintf("memory-backend-memfd,id=mem,size=%dM,share=on", c.Memory>>20),
		"-kernel", c.Kernel,
	}
	if c.Sandbox {
		args = append(args, sandboxOption, "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny")
	}
	if c.Count {
		// While nothing runs, the clock goes on to the next timer. The time of day
		// goes by it as well, from the same start in each run.
		args = append(args, "-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01T00:00:00,clock=vm")
	}
	if c.Append != "" {
		args = append(args, "-append", c.Append)
	}
	if c.Machine == MicroVM {
		args = append(args, "-global", "virtio-mmio.force-legacy=false")
	}
	args = append(args, "-device", fmt.Sprintf("isa-debug-exit,iobase=%#x,iosize=0x04", exitPort))
	if c.Debug != 0 {
		args = append(args, "-S", "-chardev", fmt.Sprintf("socket,id=gdb,fd=%d,server=on,wait=off", c.Debug), "-gdb", "chardev:gdb")
	}
	if c.Control != 0 {
		args = append(args, c.chardev("ctl", c.Control)...)
		args = append(args, "-device", fmt.Sprintf("isa-debugcon,iobase=%#x,chardev=ctl", controlPort))
	}
	if c.Monitor != 0 {
		args = append(args, c.chardev("monitor", c.Monitor)...)
		// A machine that resets stays as it is, for whoever looks at it.
		args = append(args, "-mon", "chardev=monitor,mode=control", "-no-shutdown")
	}
	if c.Console != 0 {
		args = append(args, c.chardev("uart", c.Console)...)
		args = append(args, "-serial", "chardev:uart")
	}
	args = append(args, c.streams()...)
	if c.Random {
		args = append(args, "-object", "rng-random,filename=/dev/urandom,id=random", "-device", c.device("virtio-rng")+",rng=random")
	}
	args = append(args, c.diskDevices()...)
	args = append(args, c.netDevice()...)
	for _, f := range c.Files {
		args = append(args, "-fw_cfg", fmt.Sprintf("name=%s,file=%s", quote(f.Name), fdPath(f.FD)))
	}
	for i, s := range c.Shares {
		id := "fs" + strconv.Itoa(i)
		args = append(args, c.chardev(id, s.FD)...)
		args = append(args, "-device", c.device("vhost-user-fs")+",queue-size=1024,chardev="+id+",tag="+quote(s.Tag))
	}
	return append(args, c.Extra...)
}

// sandboxOption is the option of QEMU for its filter of system calls, in the strictest
// form: it starts no program, changes no user, and nothing of its scheduling.
const sandboxOption = "-sandbox"

func (c *Config) machine() string {
	m := string(c.Machine) + ",accel=" + string(c.Accel) + ",memory-backend=mem"
	if c.Machine == MicroVM {
		// The timer and the clock stay: the kernel calibrates the TSC by
		// the one and takes the time of day from the other.
		m += ",pit=on,rtc=on,pic=off,isa-serial=on,acpi=off,pcie=off,x-option-roms=off"
	}
	return m
}

// smp gives the machine its CPUs. For a machine that can never have a second one,
// TCG makes plain loads and stores of atomic operations and barriers. But the
// virtio-fs server, another process, looks at the same rings: without the barrier
// between a store to one index and the load of another, now and then a
// notification or an interrupt is not sent, and both sides wait for each other
// for ever. Room for a second CPU, which never comes, keeps the barriers.
func (c *Config) smp() string {
	n := max(c.CPUs, 1)
	if n == 1 && c.Accel == TCG {
		return "1,maxcpus=2"
	}
	return strconv.Itoa(n)
}

// cpu is the model of the CPUs. Where QEMU counts instructions they have no x2APIC: since QEMU 9 TCG has one, and
// aborts with "Bad icount read" when its timer is written.
func (c *Config) cpu() string {
	switch {
	case c.Accel == KVM:
		return "host"
	case c.Count:
		// What the kernel does for emulated processors alone does not count, and
		// chance is not to change what it does.
		return "max,x2apic=off,tcg-cpuid=off,rdrand=off,rdseed=off"
	case slices.Contains(c.Extra, "-icount"):
		return "max,x2apic=off"
	}
	return "max"
}

// streams makes one port for each of the program's standard streams, one for the
// terminal, one for the messages of launcher and kernel, one for the time, one each for the program's
// profiles, and one for its trace.
func (c *Config) streams() []string {
	type port struct {
		name string
		fd   int
	}
	var ports []port
	for _, p := range []port{
		{"stdin", c.Stdin}, {"stdout", c.Stdout}, {"stderr", c.Stderr}, {"tty", c.TTY}, {"control", c.Link}, {"time", c.Time}, {"profile", c.Profile}, {"locks", c.Locks}, {"trace", c.Events},
	} {
		if p.fd != 0 {
			ports = append(ports, p)
		}
	}
	if len(ports) == 0 {
		return nil
	}
	args := []string{"-device", c.device("virtio-serial") + ",id=vserial,max_ports=" + strconv.Itoa(len(ports)+1)}
	for i, p := range ports {
		args = append(args, c.chardev(p.name, p.fd)...)
		args = append(args, "-device", fmt.Sprintf("virtserialport,bus=vserial.0,nr=%d,chardev=%s,name=yolk.%[2]s", i+1, p.name))
	}
	return args
}

// device names a virtio device for the machine's bus, as a modern one.
func (c *Config) device(name string) string {
	switch {
	case c.Machine == MicroVM:
		return name + "-device"
	case name == "vhost-user-fs":
		return name + "-pci" // always modern
	}
	return name + "-pci,disable-legacy=on"
}

func (c *Config) chardev(id string, fd int) []string {
	return []string{"-chardev", fmt.Sprintf("socket,id=%s,fd=%d", id, fd)}
}

// fdPath names a descriptor of the process that reads the name.
func fdPath(fd int) string { return "/dev/fd/" + strconv.Itoa(fd) }

// quote keeps a value whole in QEMU's comma-separated options.
func quote(s string) string { return strings.ReplaceAll(s, ",", ",,") }

// CheckTag reports what is wrong with the tag of a share.
func CheckTag(tag string) error {
	switch {
	case tag == "":
		return fmt.Errorf("a share needs a tag")
	case len(tag) > maxTag:
		return fmt.Errorf("tag %q has %d bytes; a virtio-fs tag has at most %d", tag, len(tag), maxTag)
	case strings.ContainsRune(tag, 0):
		return fmt.Errorf("tag %q has a NUL byte", tag)
	}
	return nil
}

// busSlots is how many virtio devices a machine has room for. A microvm without
// ACPI tables has eight transports; PCI Express has 32 slots, of which the host
// bridge and the chipset's own functions take two.
var busSlots = map[Machine]int{MicroVM: 8, Q35: 30}

// MaxShares is how many shares a machine has room for beside its other devices, with
// so many disks, and a network device among them or without.
func MaxShares(m Machine, disks int, network bool) int {
	c := Config{Machine: m, Stdin: 1, Stdout: 1, Stderr: 1, Random: true, Disks: make([]DiskFD, disks)}
	if network {
		c.Net = &NetDevice{}
	}
	n := busSlots[m]
	for _, arg := range c.Args() {
		if model, _, _ := strings.Cut(arg, ","); strings.HasPrefix(model, "virtio-") &&
			(strings.HasSuffix(model, "-device") || strings.HasSuffix(model, "-pci")) {
			n--
		}
	}
	return n
}

// ParseMemory reads an amount of memory, as ParseSize does.
func ParseMemory(s string) (uint64, error) {
	size, err := ParseSize(s)
	if err != nil || size > maxMemory {
		return 0, fmt.Errorf("memory %q: want a number of MiB, or one with a unit, such as 256M or 1.5G", s)
	}
	if size < minMemory {
		return 0, fmt.Errorf("memory %s: the kernel needs %dM at least", s, minMemory>>20)
	}
	return size, nil
}

// ParseSize reads a number of bytes: a number of MiB, or a number with one
// of the units K, M, G and T, all powers of 1024, in either case, as KB or as
// KiB. It is rounded down to whole MiB.
func ParseSize(s string) (uint64, error) {
	num := strings.ToLower(s)
	for _, end := range []string{"ib", "b"} {
		if rest, ok := strings.CutSuffix(num, end); ok {
			num = rest
			break
		}
	}
	bare := num == strings.ToLower(s)
	unit := float64(1 << 20)
	if i := len(num) - 1; i >= 0 {
		if shift := strings.IndexByte("kmgt", num[i]); shift >= 0 {
			num, unit, bare = num[:i], float64(uint64(1)<<(10*(shift+1))), true
		}
	}
	n, err := strconv.ParseFloat(num, 64)
	// ParseFloat knows of signs, exponents and infinities, too.
	if err != nil || !bare || strings.Trim(num, "0123456789.") != "" || n*unit > maxSize {
		return 0, fmt.Errorf("%q: want a number of MiB, or one with a unit, such as 256M or 1.5G", s)
	}
	return uint64(n*unit) &^ (1<<20 - 1), nil
}

// maxSize is more than a file or a disk can have, in bytes.
const maxSize = 1 << 60

// maxMemory is more than a machine can have (52 bits of physical address), in
// bytes.
const maxMemory = 1 << 52

// MaxCPUs is how many CPUs a guest may have: the kernel uses no more.
const MaxCPUs = 64

// minMemory is the least memory that a small program runs in, in bytes.
const minMemory = 20 << 20
