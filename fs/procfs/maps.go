package procfs

import "strconv"

// Region is a range of addresses with one use.
type Region struct {
	Start, End uint64 // the latter behind its last byte
	Perm       string // "r-xp": read, write, execute, private or shared
	Offset     uint64 // in the file, in bytes
	Dev, Ino   uint64 // of the file; 0: there is none
	Name       string // of the file, or "[heap]"; may be empty
	Resident   uint64 // bytes of it in RAM
}

func (s *Self) maps(b []byte) []byte {
	for _, r := range s.Regions() {
		b = appendRegion(b, r)
	}
	return b
}

// appendRegion writes the line of maps: addresses and offset in hexadecimal with
// eight digits at least, the name, in which an end of line is an escape, from
// column 73.
func appendRegion(b []byte, r Region) []byte {
	start := len(b)
	b = expand(b, "@-@ @ @ @:@ @ ", hex(r.Start, 8), hex(r.End, 8), r.Perm, hex(r.Offset, 8),
		hex(r.Dev>>8&0xfff, 2), hex(r.Dev&0xff|r.Dev>>12&^0xff, 2), decimal(r.Ino))
	if r.Name != "" {
		for len(b)-start < 73 {
			b = append(b, ' ')
		}
		for _, c := range []byte(r.Name) {
			if c == '\n' {
				b = append(b, `\012`...)
			} else {
				b = append(b, c)
			}
		}
	}
	return append(b, '\n')
}

func hex(n uint64, width int) string { return string(padZero(nil, strconv.FormatUint(n, 16), width)) }

// smaps is smaps: for each region, what RAM it takes.
func (s *Self) smaps(b []byte) []byte {
	for _, r := range s.Regions() {
		b = appendUse(appendRegion(b, r), []Region{r}, true)
		b = append(b, "THPeligible:           0\nVmFlags:"...)
		for i, flag := range [...]string{" rd", " wr", " ex", " sh"} {
			if r.Perm[i] != '-' && r.Perm[i] != 'p' {
				b = append(b, flag...)
			}
		}
		b = append(b, " mr mw me \n"...)
	}
	return b
}

func (s *Self) smapsRollup(b []byte) []byte {
	all := s.Regions()
	if len(all) == 0 {
		return b
	}
	b = appendRegion(b, Region{Start: all[0].Start, End: all[len(all)-1].End, Perm: "---p", Name: "[rollup]"})
	return appendUse(b, all, false)
}

// appendUse writes the sums of regions, with those of their sizes if sizes is set.
func appendUse(b []byte, list []Region, sizes bool) []byte {
	var size, resident, dirty, anonymous uint64
	for _, r := range list {
		size += r.End - r.Start
		resident += r.Resident
		if r.Perm[1] == 'w' {
			dirty += r.Resident
		}
		if r.Ino == 0 {
			anonymous += r.Resident
		}
	}
	if sizes {
		b = appendKiB(b, []pair{{"Size:", size}, {"KernelPageSize:", pageSize}, {"MMUPageSize:", pageSize}})
	}
	b = appendKiB(b, []pair{{"Rss:", resident}, {"Pss:", resident}, {"Pss_Dirty:", dirty}})
	if !sizes {
		b = appendKiB(b, []pair{{"Pss_Anon:", anonymous}, {"Pss_File:", resident - anonymous}, {"Pss_Shmem:", 0}})
	}
	return appendKiB(b, []pair{
		{"Shared_Clean:", 0}, {"Shared_Dirty:", 0}, {"Private_Clean:", resident - dirty}, {"Private_Dirty:", dirty},
		{"Referenced:", resident}, {"Anonymous:", anonymous}, {"KSM:", 0}, {"LazyFree:", 0}, {"AnonHugePages:", 0},
		{"ShmemPmdMapped:", 0}, {"FilePmdMapped:", 0}, {"Shared_Hugetlb:", 0}, {"Private_Hugetlb:", 0},
		{"Swap:", 0}, {"SwapPss:", 0}, {"Locked:", 0},
	})
}

// appendKiB writes names and numbers of bytes as meminfo and smaps do, in KiB.
func appendKiB(b []byte, list []pair) []byte {
	for _, l := range list {
		kib := strconv.FormatUint(l.n/1024, 10)
		b = append(b, l.name...)
		for n := len(l.name) + len(kib); n < 24; n++ {
			b = append(b, ' ')
		}
		b = append(append(b, kib...), " kB\n"...)
	}
	return b
}
