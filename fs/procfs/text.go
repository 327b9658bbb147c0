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
			b = expand(b, "@ @ @ @ 0 0\n", word(m.Source), word(m.Path), word(m.Type), m.Options())
		}
		return b
	}
}

// Mountstats is mountstats.
func Mountstats(list func() []fs.MountInfo) func(b []byte) []byte {
	return func(b []byte) []byte {
		for _, m := range list() {
			if !m.Dir {
				b = expand(b, "device @ mounted on @ with fstype @\n", word(m.Source), word(m.Path), word(m.Type))
			}
		}
		return b
	}
}

// Mountinfo is mountinfo: what is mounted (not the directories of a mount, which
// Mounts shows as well), with the numbers of the mounts and of what they are in.
func Mountinfo(list func() []fs.MountInfo) func(b []byte) []byte {
	return func(b []byte) []byte {
		for _, m := range list() {
			if m.Dir {
				continue
			}
			b = expand(b, "@ @ @:@ / @ @ - @ @ @\n", decimal(uint64(m.ID)), decimal(uint64(m.Parent)),
				decimal(m.Dev>>8&0xfff), decimal(m.Dev&0xff|m.Dev>>12&0xfff00),
				word(m.Path), m.Options(), word(m.Type), word(m.Source), m.Options())
		}
		return b
	}
}

// word is s with what would end a word as octal escapes.
func word(s string) string {
	var b []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', '\n', '\\':
			b = append(b, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			b = append(b, c)
		}
	}
	return string(b)
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

// Memory is what meminfo and vmstat tell, in bytes.
type Memory struct {
	Total      uint64 // usable RAM
	Free       uint64 // in no use
	Available  uint64 // what a program could have, with what can be let go
	Cached     uint64 // contents of files that are kept
	Shmem      uint64 // of these, of files in memory
	Mapped     uint64 // of files that are mapped
	Heap       uint64 // of the program, in use
	PageTables uint64
	Stack      uint64 // of goroutines
}

// Meminfo is meminfo.
func Meminfo(m func() Memory) func(b []byte) []byte {
	return func(b []byte) []byte {
		m := m()
		return appendKiB(b, []pair{
			{"MemTotal:", m.Total}, {"MemFree:", m.Free}, {"MemAvailable:", m.Available},
			{"Buffers:", 0}, {"Cached:", m.Cached}, {"SwapCached:", 0},
			{"Active:", m.Heap + m.Cached}, {"Inactive:", 0},
			{"Active(anon):", m.Heap}, {"Inactive(anon):", 0}, {"Active(file):", m.Cached}, {"Inactive(file):", 0},
			{"Unevictable:", 0}, {"Mlocked:", 0}, {"SwapTotal:", 0}, {"SwapFree:", 0},
			{"Dirty:", 0}, {"Writeback:", 0}, {"AnonPages:", m.Heap}, {"Mapped:", m.Mapped}, {"Shmem:", m.Shmem},
			{"KReclaimable:", 0}, {"Slab:", 0}, {"SReclaimable:", 0}, {"SUnreclaim:", 0},
			{"KernelStack:", m.Stack}, {"PageTables:", m.PageTables}, {"NFS_Unstable:", 0}, {"Bounce:", 0}, {"WritebackTmp:", 0},
			{"CommitLimit:", m.Total}, {"Committed_AS:", m.Heap + m.Stack},
			{"VmallocTotal:", 0}, {"VmallocUsed:", 0}, {"VmallocChunk:", 0},
			{"AnonHugePages:", 0}, {"ShmemHugePages:", 0}, {"Hugepagesize:", 2 << 20},
		})
	}
}

// Vmstat is vmstat, in pages of 4 KiB.
func Vmstat(m func() Memory) func(b []byte) []byte {
	return func(b []byte) []byte {
		m := m()
		return appendPairs(b, " ", []pair{
			{"nr_free_pages", m.Free / pageSize}, {"nr_active_anon", m.Heap / pageSize}, {"nr_inactive_anon", 0},
			{"nr_active_file", m.Cached / pageSize}, {"nr_inactive_file", 0}, {"nr_anon_pages", m.Heap / pageSize},
			{"nr_mapped", m.Mapped / pageSize}, {"nr_file_pages", m.Cached / pageSize}, {"nr_dirty", 0}, {"nr_writeback", 0},
			{"nr_shmem", m.Shmem / pageSize}, {"nr_page_table_pages", m.PageTables / pageSize},
			{"pgpgin", 0}, {"pgpgout", 0}, {"pswpin", 0}, {"pswpout", 0}, {"pgfault", 0}, {"pgmajfault", 0}, {"oom_kill", 0},
		})
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
