package syscalls

import (
	"syscall"
	"time"
)

// Machine is what the calls on the whole system stand on. In a guest it is
// package kernel's; without one, a Kernel has that of noMachine.
type Machine interface {
	// Uptime is the monotonic clock, from the start of the machine.
	Uptime() time.Duration
	// Busy is the time that all CPUs together have not been idle.
	Busy() time.Duration
	CPUs() int
	// CPU is the number of the one that runs the caller.
	CPU() int
	// Memory tells of the RAM, in bytes: all of it, what nobody has taken, and
	// what the program and the kernel have.
	Memory() (total, free, taken uint64)
	// Loads are the load averages over 1, 5 and 15 minutes.
	Loads() [3]float64
	// PowerOff and Restart end the machine.
	PowerOff()
	Restart()
}

// noMachine has one CPU and knows the time.
type noMachine struct{ start time.Time }

func (m noMachine) Uptime() time.Duration               { return time.Since(m.start) }
func (m noMachine) Busy() time.Duration                 { return 0 }
func (m noMachine) CPUs() int                           { return 1 }
func (m noMachine) CPU() int                            { return 0 }
func (m noMachine) Memory() (total, free, taken uint64) { return 0, 0, 0 }
func (m noMachine) Loads() [3]float64                   { return [3]float64{} }
func (m noMachine) PowerOff()                           {}
func (m noMachine) Restart()                            {}

// Whose use Getrusage tells of.
const (
	RUSAGE_SELF     = 0
	RUSAGE_CHILDREN = -1
	RUSAGE_THREAD   = 1
)

// Getrusage tells what the program has used. Its own code and the kernel's are
// not told apart: all time is the user's. The memory is that which the machine's
// RAM has lost to it; it does not come back.
func (k *Kernel) Getrusage(who int) (u syscall.Rusage, e syscall.Errno) {
	switch who {
	case RUSAGE_SELF, RUSAGE_THREAD:
		u.Utime = syscall.NsecToTimeval(int64(k.Machine.Busy()))
		_, _, taken := k.Machine.Memory()
		u.Maxrss = int64(taken >> 10)
	case RUSAGE_CHILDREN:
	default:
		return u, syscall.EINVAL
	}
	return u, 0
}

// clockTick is the unit of Times, CLK_TCK: 100 a second.
const clockTick = 10 * time.Millisecond

// Times is Getrusage's time, and that of the monotonic clock, in ticks.
func (k *Kernel) Times() (t syscall.Tms, uptime int64) {
	t.Utime = int64(k.Machine.Busy() / clockTick)
	return t, int64(k.Machine.Uptime() / clockTick)
}

// loadScale is 1 in the load averages of Sysinfo (SI_LOAD_SHIFT of kernel.h).
const loadScale = 1 << 16

// Sysinfo tells of the machine. As Linux does, it counts a second that has begun:
// no machine has been up for 0 s.
func (k *Kernel) Sysinfo() (s syscall.Sysinfo_t) {
	total, free, _ := k.Machine.Memory()
	s.Uptime = int64((k.Machine.Uptime() + time.Second - 1) / time.Second)
	for i, load := range k.Machine.Loads() {
		s.Loads[i] = uint64(load * loadScale)
	}
	s.Totalram, s.Freeram, s.Unit, s.Procs = total, free, 1, 1
	return s
}

// Commands of Reboot (reboot.h).
const (
	LINUX_REBOOT_CMD_RESTART   = 0x01234567
	LINUX_REBOOT_CMD_HALT      = 0xcdef0123
	LINUX_REBOOT_CMD_CAD_ON    = 0x89abcdef
	LINUX_REBOOT_CMD_CAD_OFF   = 0
	LINUX_REBOOT_CMD_POWER_OFF = 0x4321fedc
)

// Reboot ends the machine after what is not written yet has been. A machine that
// halts is no use to anybody: it is powered off.
func (k *Kernel) Reboot(magic1, magic2, cmd uint32) syscall.Errno {
	if !k.can(capSysBoot) {
		return syscall.EPERM
	}
	const magic = 0xfee1dead
	switch magic2 {
	case 672274793, 85072278, 369367448, 537993216:
	default:
		return syscall.EINVAL
	}
	if magic1 != magic {
		return syscall.EINVAL
	}
	switch cmd {
	case LINUX_REBOOT_CMD_CAD_ON, LINUX_REBOOT_CMD_CAD_OFF:
	case LINUX_REBOOT_CMD_RESTART:
		k.Sync()
		k.Machine.Restart()
	case LINUX_REBOOT_CMD_HALT, LINUX_REBOOT_CMD_POWER_OFF:
		k.Sync()
		k.Machine.PowerOff()
	default:
		return syscall.EINVAL
	}
	return 0
}

// maxNodeName is the longest name of a host or domain, in bytes (__NEW_UTS_LEN).
const maxNodeName = 64

// Sethostname and Setdomainname change what Uname tells.
func (k *Kernel) Sethostname(name string) syscall.Errno { return k.setName(&k.process.node, name) }

func (k *Kernel) Setdomainname(name string) syscall.Errno { return k.setName(&k.process.domain, name) }

func (k *Kernel) setName(to *string, name string) syscall.Errno {
	if !k.can(capSysAdmin) {
		return syscall.EPERM
	}
	if len(name) > maxNodeName {
		return syscall.EINVAL
	}
	k.process.mu.Lock()
	defer k.process.mu.Unlock()
	*to = name
	return 0
}

// Uname fills in what identifies the system. Programs read the release as the
// version of Linux whose calls they can make: those of 6.1 are there, or answer as
// in a container that is denied them. Sysname says Linux for the same reason.
func (k *Kernel) Uname(u *syscall.Utsname) {
	*u = syscall.Utsname{}
	k.process.mu.Lock()
	node, domain := k.process.node, k.process.domain
	k.process.mu.Unlock()
	if node == "" {
		node = k.Name
	}
	if node == "" {
		node = "localhost"
	}
	if domain == "" {
		domain = "(none)"
	}
	field(&u.Sysname, "Linux")
	field(&u.Nodename, node)
	field(&u.Release, "6.1.0-yolk")
	field(&u.Version, "#1 Yolk")
	field(&u.Machine, "x86_64")
	field(&u.Domainname, domain)
}

func field(to *[65]int8, s string) {
	for i := range min(len(s), len(to)-1) {
		to[i] = int8(s[i])
	}
}
