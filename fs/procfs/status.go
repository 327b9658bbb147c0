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
	FDSize       int    // slots of the table of descriptors
	Switches     uint64 // of goroutines that gave way
	ReadCalls    uint64
	WriteCalls   uint64
	ReadChars    uint64 // bytes that calls have read, from wherever
	WriteChars   uint64
}

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

func clockTicks(d time.Duration) uint64 { return uint64(max(0, d)) / uint64(time.Second/ticks) }

// stat is stat, with the 52 fields of proc_pid_stat(5).
func (s *Self) stat(b []byte) []byte {
	u := s.Usage()
	pid := uint64(s.Pid)
	b = strconv.AppendUint(b, pid, 10)
	b = append(append(append(b, " ("...), s.Name()...), ") R 0"...)
	const noLimit = ^uint64(0)
	for _, n := range [...]uint64{
		pid, pid, 0, // process group, session, terminal
	} {
		b = strconv.AppendUint(append(b, ' '), n, 10)
	}
	b = append(b, " -1"...) // no foreground process group
	for _, n := range [...]uint64{
		0x400100,                      // flags: PF_RANDOMIZE, PF_SUPERPRIV
		u.Memory.MinorFaults, 0, 0, 0, // faults
		clockTicks(u.User), clockTicks(u.System), 0, 0, // of children: none
		20, 0, 1, 0, 0, // priority, nice value, threads, timer, start
		u.Memory.Virtual, u.Memory.Resident / pageSize, noLimit,
	} {
		b = strconv.AppendUint(append(b, ' '), n, 10)
	}
	var code, data [2]uint64
	for _, r := range s.Regions() {
		switch {
		case r.Name == "":
		case strings.HasPrefix(r.Perm, "r-x") && code[1] == 0:
			code = [2]uint64{r.Start, r.End}
		case strings.HasPrefix(r.Perm, "rw-") && data[1] == 0:
			data = [2]uint64{r.Start, r.End}
		}
	}
	for _, n := range [...]uint64{
		code[0], code[1], 0, 0, 0, // addresses of the code; no stack to tell of
		0, 0, 0, 0, 0, // signals are told by status; wait channel
		0, 0, 17, 0, 0, 0, // SIGCHLD at the end; CPU, real-time priority, policy
		0, 0, 0, // delays and guests
		data[0], data[1], data[1],
		0, 0, 0, 0, 0, // arguments, environment, exit code
	} {
		b = strconv.AppendUint(append(b, ' '), n, 10)
	}
	return append(b, '\n')
}

// statm is statm: pages of address space, in RAM, of files, of code, 0, of data, 0.
func (s *Self) statm(b []byte) []byte {
	m := s.Usage().Memory
	for i, n := range [...]uint64{m.Virtual, m.Resident, m.File, m.Text, 0, m.Data, 0} {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendUint(b, n/pageSize, 10)
	}
	return append(b, '\n')
}

// status is status.
func (s *Self) status(b []byte) []byte {
	u := s.Usage()
	m := u.Memory
	pid := strconv.Itoa(s.Pid)
	kib := func(n uint64) string {
		return string(append(padLeft(nil, strconv.FormatUint(n/1024, 10), 8), " kB"...))
	}
	const noSignals = "0000000000000000"
	const all = "000001ffffffffff" // capabilities, up to CAP_CHECKPOINT_RESTORE
	const root = "0\t0\t0\t0"
	list := "0"
	if u.CPUs > 1 {
		list += "-" + strconv.Itoa(u.CPUs-1)
	}
	for _, l := range [...][2]string{
		{"Name", s.Name()}, {"Umask", "0" + string(padZero(nil, strconv.FormatUint(uint64(u.Umask), 8), 3))},
		{"State", "R (running)"}, {"Tgid", pid}, {"Ngid", "0"}, {"Pid", pid}, {"PPid", "0"}, {"TracerPid", "0"},
		{"Uid", root}, {"Gid", root}, {"FDSize", strconv.Itoa(u.FDSize)}, {"Groups", "0 "},
		{"NStgid", pid}, {"NSpid", pid}, {"NSpgid", pid}, {"NSsid", pid}, {"Kthread", "0"},
		{"VmPeak", kib(m.Virtual)}, {"VmSize", kib(m.Virtual)}, {"VmLck", kib(0)}, {"VmPin", kib(0)},
		{"VmHWM", kib(max(m.Peak, m.Resident))}, {"VmRSS", kib(m.Resident)}, {"RssAnon", kib(m.Resident - min(m.File, m.Resident))},
		{"RssFile", kib(min(m.File, m.Resident))}, {"RssShmem", kib(0)}, {"VmData", kib(m.Data)}, {"VmStk", kib(m.Stack)},
		{"VmExe", kib(m.Text)}, {"VmLib", kib(0)}, {"VmPTE", kib(m.PageTables)}, {"VmSwap", kib(0)}, {"HugetlbPages", kib(0)},
		{"CoreDumping", "0"}, {"THP_enabled", "0"}, {"Threads", "1"}, {"SigQ", "0/0"},
		{"SigPnd", noSignals}, {"ShdPnd", noSignals}, {"SigBlk", noSignals}, {"SigIgn", noSignals}, {"SigCgt", noSignals},
		{"CapInh", noSignals}, {"CapPrm", all}, {"CapEff", all}, {"CapBnd", all}, {"CapAmb", noSignals},
		{"NoNewPrivs", "0"}, {"Seccomp", "0"}, {"Seccomp_filters", "0"},
		{"Cpus_allowed", strconv.FormatUint(1<<u.CPUs-1, 16)}, {"Cpus_allowed_list", list},
		{"Mems_allowed", "1"}, {"Mems_allowed_list", "0"},
		{"voluntary_ctxt_switches", strconv.FormatUint(u.Switches, 10)}, {"nonvoluntary_ctxt_switches", "0"},
	} {
		b = append(append(append(append(b, l[0]...), ":\t"...), l[1]...), '\n')
	}
	return b
}

// padZero writes s with zeros before it, to width.
func padZero(b []byte, s string, width int) []byte {
	for n := len(s); n < width; n++ {
		b = append(b, '0')
	}
	return append(b, s...)
}

// io is io.
func (s *Self) io(b []byte) []byte {
	u := s.Usage()
	return appendPairs(b, ": ", []pair{
		{"rchar", u.ReadChars}, {"wchar", u.WriteChars}, {"syscr", u.ReadCalls}, {"syscw", u.WriteCalls},
		// There is no block device.
		{"read_bytes", 0}, {"write_bytes", 0}, {"cancelled_write_bytes", 0},
	})
}

// schedstat is schedstat: nanoseconds on a CPU, of waiting for one, and turns.
func (s *Self) schedstat(b []byte) []byte {
	u := s.Usage()
	b = strconv.AppendUint(b, uint64(u.User+u.System), 10)
	b = strconv.AppendUint(append(b, " 0 "...), u.Switches, 10)
	return append(b, '\n')
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
	line := func(name, cur, max, unit string) {
		for _, f := range [...]struct {
			text  string
			width int
		}{{name, 26}, {cur, 21}, {max, 21}, {unit, 10}} {
			b = append(b, f.text...)
			for n := len(f.text); n < f.width; n++ {
				b = append(b, ' ')
			}
		}
		b = append(b, '\n')
	}
	number := func(n uint64) string {
		if n == NoLimit {
			return "unlimited"
		}
		return strconv.FormatUint(n, 10)
	}
	line("Limit", "Soft Limit", "Hard Limit", "Units")
	for _, l := range s.Limits() {
		line(l.Name, number(l.Cur), number(l.Max), l.Unit)
	}
	return b
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
