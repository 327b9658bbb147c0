package syscalls

import (
	"fmt"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// scratch is memory for calls by number: not on a stack, for those move.
var scratch [4096]byte

func scratchAt(off int) uintptr { return uintptr(unsafe.Pointer(&scratch[off])) }

func TestGroups(t *testing.T) {
	k := newKernel(t)
	ok(t, k.Setgroups([]uint32{5, 6, 7}))
	if g := fmt.Sprint(k.Getgroups()); g != "[5 6 7]" {
		t.Errorf("groups %s", g)
	}
	_, e := k.Call(syscall.SYS_GETGROUPS, 2, scratchAt(0), 0, 0, 0, 0)
	is(t, "little room", e, syscall.EINVAL)
	if n, e := k.Call(syscall.SYS_GETGROUPS, 0, 0, 0, 0, 0, 0); n != 3 || e != 0 {
		t.Errorf("%d groups, %v", n, e)
	}
	is(t, "no group", k.Setgroups([]uint32{same}), syscall.EINVAL)
	is(t, "many", k.Setgroups(make([]uint32, maxGroups+1)), syscall.EINVAL)
	ok(t, k.Setresuid(1, 1, 1))
	is(t, "not root", k.Setgroups(nil), syscall.EPERM)
}

// TestLimitOfFiles: RLIMIT_NOFILE holds for whatever makes a descriptor, and not for
// those that are there.
func TestLimitOfFiles(t *testing.T) {
	k := newKernel(t)
	put(t, k, "/f", "x")
	var fds []int
	for range 5 {
		fds = append(fds, open(t, k, "/f", syscall.O_RDONLY))
	}
	_, e := k.Prlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3, Max: 100})
	ok(t, e)
	if old, _ := k.Prlimit(syscall.RLIMIT_NOFILE, nil); old != (syscall.Rlimit{Cur: 3, Max: 100}) {
		t.Errorf("limit %v", old)
	}
	_, e = k.Openat(AT_FDCWD, "/f", syscall.O_RDONLY, 0)
	is(t, "open", e, syscall.EMFILE)
	_, e = k.Dup(fds[4])
	is(t, "dup", e, syscall.EMFILE)
	is(t, "dup3", k.Dup3(fds[0], 3, 0), syscall.EBADF)
	_, e = k.Fcntl(fds[0], syscall.F_DUPFD, 3)
	is(t, "F_DUPFD", e, syscall.EINVAL)
	var p [2]int
	is(t, "pipe", k.Pipe2(&p, 0), syscall.EMFILE)
	if _, e := k.Read(fds[4], make([]byte, 1)); e != 0 {
		t.Errorf("read beyond the limit: %v", e)
	}
	ok(t, k.Close(fds[1]))
	if fd := open(t, k, "/f", syscall.O_RDONLY); fd != fds[1] {
		t.Errorf("descriptor %d, want %d", fd, fds[1])
	}
	_, e = k.Prlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 100, Max: 100})
	ok(t, e)
	open(t, k, "/f", syscall.O_RDONLY)
	ok(t, k.Setresuid(7, 7, 7))
	_, e = k.Prlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 100, Max: 200})
	is(t, "raise the hard limit without root", e, syscall.EPERM)
	_, e = k.Prlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	ok(t, e)
	if old, _ := k.Prlimit(syscall.RLIMIT_CORE, nil); old != (syscall.Rlimit{}) {
		t.Errorf("core limit %v", old)
	}
}

// bench is a Machine whose numbers all differ.
type bench struct {
	noMachine
	ended []string
}

func (*bench) Uptime() time.Duration               { return 1234567 * time.Millisecond }
func (*bench) Busy() time.Duration                 { return 7654321 * time.Microsecond }
func (*bench) CPUs() int                           { return 3 }
func (*bench) CPU() int                            { return 2 }
func (*bench) Memory() (total, free, taken uint64) { return 256 << 20, 200 << 20, 40 << 20 }
func (*bench) Loads() [3]float64                   { return [3]float64{2, 0.5, 0} }
func (m *bench) PowerOff()                         { m.ended = append(m.ended, "off") }
func (m *bench) Restart()                          { m.ended = append(m.ended, "restart") }

func TestMachine(t *testing.T) {
	k, m := newKernel(t), &bench{}
	k.Machine = m
	u, e := k.Getrusage(RUSAGE_SELF)
	if ok(t, e); u.Utime != (syscall.Timeval{Sec: 7, Usec: 654321}) || u.Maxrss != 40<<10 {
		t.Errorf("rusage %+v", u)
	}
	if u, e := k.Getrusage(RUSAGE_CHILDREN); e != 0 || u != (syscall.Rusage{}) {
		t.Errorf("children %+v, %v", u, e)
	}
	if s := k.Sysinfo(); s.Uptime != 1235 || s.Loads != [3]uint64{2 << 16, 1 << 15, 0} || s.Totalram != 256<<20 || s.Freeram != 200<<20 || s.Unit != 1 || s.Procs != 1 {
		t.Errorf("sysinfo %+v", s)
	}
	if tms, up := k.Times(); tms.Utime != 765 || up != 123456 {
		t.Errorf("times %+v, %d", tms, up)
	}
	for id, want := range map[int]time.Duration{
		CLOCK_MONOTONIC: m.Uptime(), CLOCK_BOOTTIME: m.Uptime(), CLOCK_MONOTONIC_COARSE: m.Uptime(),
		CLOCK_PROCESS_CPUTIME_ID: m.Busy(), CLOCK_THREAD_CPUTIME_ID: m.Busy(), ^pid<<3 | 2: m.Busy(), ^0<<3 | 6: m.Busy(),
	} {
		if got, e := k.ClockGettime(id); e != 0 || got != want {
			t.Errorf("clock %d: %v, %v, want %v", id, got, e, want)
		}
	}
	if got, _ := k.ClockGettime(CLOCK_REALTIME); max(time.Since(time.Unix(0, int64(got))), 0) > time.Minute {
		t.Errorf("clock of the wall: %v", time.Unix(0, int64(got)))
	}
	if set, e := k.SchedGetaffinity(0); set != 7 || e != 0 {
		t.Errorf("CPUs %#x, %v", set, e)
	}
	ok(t, k.SchedSetaffinity(pid, 0xfe))
	if set, _ := k.SchedGetaffinity(pid); set != 6 {
		t.Errorf("CPUs %#x", set)
	}
	is(t, "no such CPU", k.SchedSetaffinity(0, 8), syscall.EINVAL)
	_, e = k.Call(309, scratchAt(0), scratchAt(4), 0, 0, 0, 0)
	if ok(t, e); scratch[0] != 2 || scratch[4] != 0 {
		t.Errorf("getcpu: %d, node %d", scratch[0], scratch[4])
	}
	const magic1, magic2 = 0xfee1dead, 672274793
	is(t, "reboot without magic", k.Reboot(magic1, 0, LINUX_REBOOT_CMD_RESTART), syscall.EINVAL)
	is(t, "reboot without magic", k.Reboot(0, magic2, LINUX_REBOOT_CMD_RESTART), syscall.EINVAL)
	is(t, "reboot how", k.Reboot(magic1, magic2, 99), syscall.EINVAL)
	for _, cmd := range []uint32{LINUX_REBOOT_CMD_CAD_OFF, LINUX_REBOOT_CMD_RESTART, LINUX_REBOOT_CMD_POWER_OFF, LINUX_REBOOT_CMD_HALT} {
		ok(t, k.Reboot(magic1, magic2, cmd))
	}
	if got := fmt.Sprint(m.ended); got != "[restart off off]" {
		t.Errorf("ended: %s", got)
	}
	ok(t, k.Setresuid(1, 1, 1))
	is(t, "reboot without root", k.Reboot(magic1, magic2, LINUX_REBOOT_CMD_RESTART), syscall.EPERM)
}

func TestNames(t *testing.T) {
	k := newKernel(t)
	k.Name = "given"
	var u syscall.Utsname
	text := func(f [65]int8) (s string) {
		for _, c := range f {
			if c == 0 {
				break
			}
			s += string(rune(c))
		}
		return s
	}
	if k.Uname(&u); text(u.Nodename) != "given" || text(u.Domainname) != "(none)" || text(u.Sysname) != "Linux" {
		t.Errorf("%+v", u)
	}
	// Programs read the release so.
	var major, minor int
	if n, _ := fmt.Sscanf(text(u.Release), "%d.%d", &major, &minor); n != 2 || major != 6 || minor != 1 {
		t.Errorf("release %q", text(u.Release))
	}
	copy(scratch[:], "other")
	_, e := k.Call(syscall.SYS_SETHOSTNAME, scratchAt(0), 5, 0, 0, 0, 0)
	ok(t, e)
	ok(t, k.Setdomainname("example.com"))
	if k.Uname(&u); text(u.Nodename) != "other" || text(u.Domainname) != "example.com" {
		t.Errorf("%+v", u)
	}
	_, e = k.Call(syscall.SYS_SETHOSTNAME, scratchAt(0), maxNodeName+1, 0, 0, 0, 0)
	is(t, "a long name", e, syscall.EINVAL)

	for name, want := range map[string]string{"worker": "worker", "": "", "0123456789abcdefgh": "0123456789abcde"} {
		clear(scratch[:])
		copy(scratch[:], name)
		_, e := k.Call(syscall.SYS_PRCTL, PR_SET_NAME, scratchAt(0), 0, 0, 0, 0)
		ok(t, e)
		clear(scratch[:])
		_, e = k.Call(syscall.SYS_PRCTL, PR_GET_NAME, scratchAt(0), 0, 0, 0, 0)
		ok(t, e)
		if got := string(scratch[:len(want)+1]); want != "" && got != want+"\x00" {
			t.Errorf("name %q, want %q", got, want)
		}
	}
	if got := newKernel(t).ThreadName("/usr/bin/a-program-of-some-length"); got != "a-program-of-so" {
		t.Errorf("name %q", got)
	}
}

func TestPrctl(t *testing.T) {
	k := newKernel(t)
	for _, tt := range []struct {
		set, get int
		value    uintptr
	}{
		{PR_SET_DUMPABLE, PR_GET_DUMPABLE, 0}, {PR_SET_KEEPCAPS, PR_GET_KEEPCAPS, 1}, {PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, 1},
		{PR_SET_THP_DISABLE, PR_GET_THP_DISABLE, 1}, {PR_SET_TIMERSLACK, PR_GET_TIMERSLACK, 12345},
	} {
		_, e := k.Prctl(tt.set, tt.value, 0, 0, 0)
		ok(t, e)
		if got, e := k.Prctl(tt.get, 0, 0, 0, 0); got != tt.value || e != 0 {
			t.Errorf("option %d: %d, %v, want %d", tt.get, got, e, tt.value)
		}
	}
	_, e := k.Prctl(PR_SET_PDEATHSIG, 15, 0, 0, 0)
	ok(t, e)
	_, e = k.Call(syscall.SYS_PRCTL, PR_GET_PDEATHSIG, scratchAt(0), 0, 0, 0, 0)
	if ok(t, e); *(*int32)(unsafe.Pointer(&scratch)) != 15 {
		t.Errorf("signal %d", scratch[0])
	}
	if had, _ := k.Prctl(PR_CAPBSET_READ, 21, 0, 0, 0); had != 1 { // CAP_SYS_ADMIN
		t.Error("a capability of root is not in the bounding set")
	}
	_, e = k.Prctl(PR_CAPBSET_DROP, 21, 0, 0, 0)
	ok(t, e)
	if had, _ := k.Prctl(PR_CAPBSET_READ, 21, 0, 0, 0); had != 0 {
		t.Error("a capability is still in the bounding set")
	}
	_, e = k.Prctl(PR_SET_VMA, prSetVMAAnonName, 0, 0, 0)
	ok(t, e)
}

func TestCapset(t *testing.T) {
	k := newKernel(t)
	all, e := k.Capget(0)
	ok(t, e)
	if all.Effective != capabilities || all.Permitted != capabilities || all.Inheritable != 0 {
		t.Errorf("capabilities %x", all)
	}
	is(t, "beyond permitted", k.Capset(0, Capabilities{Effective: 1 << 16, Permitted: 1 << 16}), syscall.EPERM)
	is(t, "of another", k.Capset(99, all), syscall.EPERM)
	few := Capabilities{Effective: 1, Permitted: 3, Inheritable: 1}
	ok(t, k.Capset(pid, few))
	if got, _ := k.Capget(0); got != few {
		t.Errorf("capabilities %x", got)
	}
	is(t, "back", k.Capset(0, all), syscall.EPERM)
	_, e = k.Capget(-1)
	is(t, "of less than none", e, syscall.EINVAL)
}
