package procfs

import (
	"strconv"
	"strings"
	"time"
)

const (
	pageSize = 4096 // bytes
	ticks    = 100  // of the clock in a second (USER_HZ)
)

// Usage is what the process has used, and has.
type Usage struct {
	User, System time.Duration // of CPUs
	CPUs         int
	Memory       ProcessMemory
	Umask        uint32
	UID, GID     [3]uint32 // real, effective, saved; those for files are the effective ones
	Groups       []uint32
	Capabilities Capabilities
	NoNewPrivs   bool
	FDSize       int    // slots of the table of descriptors
	Switches     uint64 // of goroutines that gave way
	ReadCalls    uint64
	WriteCalls   uint64
	ReadChars    uint64 // bytes that calls have read, from wherever
	WriteChars   uint64
}

// Capabilities are sets of capabilities(7), a bit for each.
type Capabilities struct{ Inheritable, Permitted, Effective, Bounding uint64 }

// ProcessMemory has numbers of bytes.
type ProcessMemory struct {
	Virtual     uint64 // address space in use
	Resident    uint64 // of it, in RAM
	Peak        uint64 // the most that was resident
	Text        uint64 // code
	File        uint64 // of the resident, of the image and of mapped files
	Data        uint64 // heap, stacks and variables
	Stack       uint64 // of the data
	PageTables  uint64
	MinorFaults uint64 // a number
}

func clockTicks(d time.Duration) string {
	return decimal(uint64(max(0, d)) / uint64(time.Second/ticks))
}

// expand appends a text with the values in the places of its @ signs.
func expand(b []byte, text string, values ...string) []byte {
	for {
		part, rest, more := strings.Cut(text, "@")
		b = append(b, part...)
		if !more {
			return b
		}
		b = append(b, values[0]...)
		text, values = rest, values[1:]
	}
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

// stat is stat, with the 52 fields of proc_pid_stat(5): no terminal and no parent,
// priority 20, PF_SUPERPRIV among the flags; of the signals status tells.
func (s *Self) stat(b []byte) []byte {
	u := s.Usage()
	m := &u.Memory
	var code, data [2]string
	for _, r := range s.Regions() {
		to := &data
		switch {
		case r.Name == "" || r.Perm[0] != 'r':
			continue
		case r.Perm[2] == 'x':
			to = &code
		case r.Perm[1] != 'w':
			continue
		}
		if to[1] == "" {
			*to = [2]string{decimal(r.Start), decimal(r.End)}
		}
	}
	pid := strconv.Itoa(s.Pid)
	return expand(b, "@ (@) R 0 @ @ 0 -1 4194560 @ 0 0 0 @ @ 0 0 20 0 1 0 0 @ @ 18446744073709551615 @ @ 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 @ @ @ 0 0 0 0 0\n",
		pid, s.Name(), pid, pid, decimal(m.MinorFaults), clockTicks(u.User), clockTicks(u.System),
		decimal(m.Virtual), decimal(m.Resident/pageSize), code[0], code[1], data[0], data[1], data[1])
}

// statm is statm: pages of address space, in RAM, of files, of code, 0, of data, 0.
func (s *Self) statm(b []byte) []byte {
	m := s.Usage().Memory
	pages := func(n uint64) string { return decimal(n / pageSize) }
	return expand(b, "@ @ @ @ 0 @ 0\n", pages(m.Virtual), pages(m.Resident), pages(m.File), pages(m.Text), pages(m.Data))
}

// status is status. Of signals it tells nothing.
func (s *Self) status(b []byte) []byte {
	u := s.Usage()
	m := &u.Memory
	pid := strconv.Itoa(s.Pid)
	cpus := "0"
	if u.CPUs > 1 {
		cpus += "-" + strconv.Itoa(u.CPUs-1)
	}
	file := min(m.File, m.Resident)
	noNewPrivs := "0"
	if u.NoNewPrivs {
		noNewPrivs = "1"
	}
	groups := ""
	for _, g := range u.Groups {
		groups += decimal(uint64(g)) + " "
	}
	return expand(b, `Name:	@
Umask:	0@
State:	R (running)
Tgid:	@
Ngid:	0
Pid:	@
PPid:	0
TracerPid:	0
Uid:	@
Gid:	@
FDSize:	@
Groups:	@
NStgid:	@
NSpid:	@
NSpgid:	@
NSsid:	@
Kthread:	0
VmPeak:	@ kB
VmSize:	@ kB
VmLck:	       0 kB
VmPin:	       0 kB
VmHWM:	@ kB
VmRSS:	@ kB
RssAnon:	@ kB
RssFile:	@ kB
RssShmem:	       0 kB
VmData:	@ kB
VmStk:	@ kB
VmExe:	@ kB
VmLib:	       0 kB
VmPTE:	@ kB
VmSwap:	       0 kB
HugetlbPages:	       0 kB
CoreDumping:	0
THP_enabled:	0
Threads:	1
SigQ:	0/0
SigPnd:	0000000000000000
ShdPnd:	0000000000000000
SigBlk:	0000000000000000
SigIgn:	0000000000000000
SigCgt:	0000000000000000
CapInh:	@
CapPrm:	@
CapEff:	@
CapBnd:	@
CapAmb:	0000000000000000
NoNewPrivs:	@
Seccomp:	0
Seccomp_filters:	0
Cpus_allowed:	@
Cpus_allowed_list:	@
Mems_allowed:	1
Mems_allowed_list:	0
voluntary_ctxt_switches:	@
nonvoluntary_ctxt_switches:	0
`, s.Name(), string(padZero(nil, strconv.FormatUint(uint64(u.Umask), 8), 3)), pid, pid,
		ids(u.UID[0], u.UID[1], u.UID[2], u.UID[1]), ids(u.GID[0], u.GID[1], u.GID[2], u.GID[1]), strconv.Itoa(u.FDSize), groups, pid, pid, pid, pid,
		kib(m.Virtual), kib(m.Virtual), kib(max(m.Peak, m.Resident)), kib(m.Resident), kib(m.Resident-file), kib(file),
		kib(m.Data), kib(m.Stack), kib(m.Text), kib(m.PageTables),
		capabilitySet(u.Capabilities.Inheritable), capabilitySet(u.Capabilities.Permitted), capabilitySet(u.Capabilities.Effective),
		capabilitySet(u.Capabilities.Bounding), noNewPrivs, strconv.FormatUint(1<<u.CPUs-1, 16), cpus, decimal(u.Switches))
}

// capabilitySet is a set in 16 hexadecimal digits.
func capabilitySet(set uint64) string {
	return string(padZero(nil, strconv.FormatUint(set, 16), 16))
}

func ids(list ...uint32) string {
	s := ""
	for i, id := range list {
		if i > 0 {
			s += "\t"
		}
		s += decimal(uint64(id))
	}
	return s
}

// kib is a number of bytes in KiB, eight columns wide.
func kib(n uint64) string { return string(padLeft(nil, decimal(n/1024), 8)) }

// padZero writes s with zeros before it, to width.
func padZero(b []byte, s string, width int) []byte {
	for n := len(s); n < width; n++ {
		b = append(b, '0')
	}
	return append(b, s...)
}

// io is io. There is no block device to read from or write to.
func (s *Self) io(b []byte) []byte {
	u := s.Usage()
	return expand(b, "rchar: @\nwchar: @\nsyscr: @\nsyscw: @\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n",
		decimal(u.ReadChars), decimal(u.WriteChars), decimal(u.ReadCalls), decimal(u.WriteCalls))
}

// schedstat is schedstat: nanoseconds on a CPU, of waiting for one, and turns.
func (s *Self) schedstat(b []byte) []byte {
	u := s.Usage()
	return expand(b, "@ 0 @\n", decimal(uint64(u.User+u.System)), decimal(u.Switches))
}

// Limit is a line of limits.
type Limit struct {
	Name     string // "Max open files"
	Cur, Max uint64 // NoLimit: none
	Unit     string // "files"; may be empty
}

// NoLimit is RLIM_INFINITY.
const NoLimit = ^uint64(0)

// limits is limits, whose columns have fixed widths.
func (s *Self) limits(b []byte) []byte {
	b = appendLimit(b, "Limit", "Soft Limit", "Hard Limit", "Units")
	for _, l := range s.Limits() {
		b = appendLimit(b, l.Name, limitText(l.Cur), limitText(l.Max), l.Unit)
	}
	return b
}

func limitText(n uint64) string {
	if n == NoLimit {
		return "unlimited"
	}
	return decimal(n)
}

func appendLimit(b []byte, columns ...string) []byte {
	for i, text := range columns {
		b = append(b, text...)
		for n := len(text); n < [...]int{26, 21, 21, 10}[i]; n++ {
			b = append(b, ' ')
		}
	}
	return append(b, '\n')
}

// pair is a name and a number, in a file of such.
type pair struct {
	name string
	n    uint64
}

func appendPairs(b []byte, between string, list []pair) []byte {
	for _, p := range list {
		b = append(strconv.AppendUint(append(append(b, p.name...), between...), p.n, 10), '\n')
	}
	return b
}
