package procfs

import (
	"strconv"
	"time"
)

// CPU is a processor as cpuinfo shows it.
type CPU struct {
	Vendor                  string // "GenuineIntel"
	Family, Model, Stepping int
	Name                    string
	Hz                      uint64 // of the clock; 0 if not known
	Flags                   string // the features, separated by spaces
	PhysBits, VirtBits      int    // of addresses
}

// Cpuinfo is cpuinfo.
func Cpuinfo(cpus func() []CPU) func(b []byte) []byte {
	return func(b []byte) []byte {
		for i, c := range cpus() {
			mhz := strconv.AppendFloat(nil, float64(c.Hz)/1e6, 'f', 3, 64)
			for _, l := range [][2]string{
				{"processor\t", strconv.Itoa(i)},
				{"vendor_id\t", c.Vendor},
				{"cpu family\t", strconv.Itoa(c.Family)},
				{"model\t\t", strconv.Itoa(c.Model)},
				{"model name\t", c.Name},
				{"stepping\t", strconv.Itoa(c.Stepping)},
				{"cpu MHz\t\t", string(mhz)},
				{"flags\t\t", c.Flags},
				{"address sizes\t", strconv.Itoa(c.PhysBits) + " bits physical, " + strconv.Itoa(c.VirtBits) + " bits virtual"},
			} {
				b = append(append(append(append(b, l[0]...), ": "...), l[1]...), '\n')
			}
			b = append(b, '\n')
		}
		return b
	}
}

// Stat is what the file stat tells.
type Stat struct {
	CPUs       []CPUTime
	Interrupts uint64 // all of them, since the start
	Switches   uint64 // context switches
	Boot       time.Time
}

// CPUTime is how a processor has spent its time.
type CPUTime struct {
	User, System, Idle, IRQ time.Duration
}

// StatFile is stat.
func StatFile(s func() Stat) func(b []byte) []byte {
	return func(b []byte) []byte {
		s := s()
		var sum CPUTime
		for _, c := range s.CPUs {
			sum.User += c.User
			sum.System += c.System
			sum.Idle += c.Idle
			sum.IRQ += c.IRQ
		}
		b = appendCPUTime(append(b, "cpu "...), sum)
		for i, c := range s.CPUs {
			b = appendCPUTime(strconv.AppendInt(append(b, "cpu"...), int64(i), 10), c)
		}
		for _, l := range []struct {
			name string
			n    uint64
		}{
			{"intr ", s.Interrupts}, {"ctxt ", s.Switches}, {"btime ", uint64(s.Boot.Unix())},
			{"processes ", 1}, {"procs_running ", 1}, {"procs_blocked ", 0},
		} {
			b = append(strconv.AppendUint(append(b, l.name...), l.n, 10), '\n')
		}
		return b
	}
}

// appendCPUTime writes user, nice, system, idle, iowait, irq, softirq, steal,
// guest and guest_nice in hundredths of a second.
func appendCPUTime(b []byte, c CPUTime) []byte {
	for _, d := range []time.Duration{c.User, 0, c.System, c.Idle, 0, c.IRQ, 0, 0, 0, 0} {
		b = strconv.AppendInt(append(b, ' '), int64(d/(10*time.Millisecond)), 10)
	}
	return append(b, '\n')
}

// Interrupt is a line of interrupts.
type Interrupt struct {
	Name   string   // "24", "LOC"
	Counts []uint64 // of each processor
	About  string   // controller, kind, device
}

// Interrupts is interrupts.
func Interrupts(cpus int, list func() []Interrupt) func(b []byte) []byte {
	return func(b []byte) []byte {
		b = append(b, "    "...)
		for i := range cpus {
			b = padLeft(b, "CPU"+strconv.Itoa(i), 11)
		}
		b = append(b, '\n')
		for _, in := range list() {
			b = append(padLeft(b, in.Name, 3), ':')
			for _, n := range in.Counts {
				b = padLeft(b, strconv.FormatUint(n, 10), 11)
			}
			b = append(append(append(b, "   "...), in.About...), '\n')
		}
		return b
	}
}

// padLeft writes s with spaces before it, to width.
func padLeft(b []byte, s string, width int) []byte {
	for n := len(s); n < width; n++ {
		b = append(b, ' ')
	}
	return append(b, s...)
}
