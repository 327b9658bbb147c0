package procfs

import (
	"strconv"
	"time"

	"github.com/yolkos/yolk/fs"
)

// The functions below make the contents of Linux's files (proc(5)) for
// Register out of functions that know the facts.

// Line gives one line of fixed text: version.
func Line(text string) func(b []byte) []byte {
	return func(b []byte) []byte { return append(append(b, text...), '\n') }
}

// Mounts is mounts, in the format of fstab(5).
func Mounts(list func() []fs.MountInfo) func(b []byte) []byte {
	return func(b []byte) []byte {
		for _, m := range list() {
			b = appendMount(b, m)
		}
		return b
	}
}

func appendMount(b []byte, m fs.MountInfo) []byte {
	b = append(appendWord(b, m.Source), ' ')
	b = append(appendWord(b, m.Path), ' ')
	b = append(appendWord(b, m.Type), ' ')
	if m.ReadOnly {
		return append(b, "ro 0 0\n"...)
	}
	return append(b, "rw 0 0\n"...)
}

// appendWord writes s with what would end a word as octal escapes.
func appendWord(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', '\n', '\\':
			b = append(b, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			b = append(b, c)
		}
	}
	return b
}

// Uptime is uptime: the time since the start, and of that the time idle,
// summed over the processors.
func Uptime(times func() (up, idle time.Duration)) func(b []byte) []byte {
	return func(b []byte) []byte {
		up, idle := times()
		b = append(appendSeconds(b, up), ' ')
		return append(appendSeconds(b, idle), '\n')
	}
}

// appendSeconds writes d as seconds with two decimals.
func appendSeconds(b []byte, d time.Duration) []byte {
	cs := max(0, int64(d/(10*time.Millisecond)))
	b = strconv.AppendInt(b, cs/100, 10)
	return append(b, '.', byte('0'+cs/10%10), byte('0'+cs%10))
}

// Memory is what meminfo tells, in bytes.
type Memory struct {
	Total     uint64 // usable RAM
	Free      uint64 // in no use
	Available uint64 // what a program could have, with what can be let go
	Cached    uint64 // contents of files that are kept
	Heap      uint64 // of the program, in use
}

// Meminfo is meminfo.
func Meminfo(m func() Memory) func(b []byte) []byte {
	return func(b []byte) []byte {
		m := m()
		for _, l := range []struct {
			name  string
			bytes uint64
		}{
			{"MemTotal:", m.Total}, {"MemFree:", m.Free}, {"MemAvailable:", m.Available},
			{"Buffers:", 0}, {"Cached:", m.Cached}, {"SwapCached:", 0},
			{"Active:", m.Heap}, {"Inactive:", 0}, {"SwapTotal:", 0}, {"SwapFree:", 0},
		} {
			kib := strconv.FormatUint(l.bytes/1024, 10)
			b = append(b, l.name...)
			for n := len(l.name) + len(kib); n < 24; n++ {
				b = append(b, ' ')
			}
			b = append(append(b, kib...), " kB\n"...)
		}
		return b
	}
}

// Filesystems is filesystems: the types that can be mounted, none of them on
// a device.
func Filesystems(types func() []string) func(b []byte) []byte {
	return func(b []byte) []byte {
		for _, t := range types() {
			b = append(append(append(b, "nodev\t"...), t...), '\n')
		}
		return b
	}
}
