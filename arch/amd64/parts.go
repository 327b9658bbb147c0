package amd64

import "github.com/yolkos/yolk/arch/amd64/embedded"

// Fields of an ELF file's header and of its program headers, 64-bit (System V ABI,
// ELF header, program header).
const (
	elfPhoff     = 32
	elfPhentsize = 54
	elfPhnum     = 56

	phdrSize  = 56
	phdrVaddr = 16
	phdrMemsz = 40
)

// findSegment returns where the program headers of the image, whose first page header
// is, say that the parts lie that it carries besides the program; the zero Range if
// there are none. They lie in whole pages from end, the end of the program, on.
// ok is false if they cannot lie where the headers say.
func findSegment(header []byte, end uint64) (r Range, ok bool) {
	if len(header) < pageSize || string(header[:4]) != "\x7fELF" {
		return Range{}, true
	}
	off, size, n := word(header[elfPhoff:]), half(header[elfPhentsize:]), half(header[elfPhnum:])
	if size != phdrSize || off > pageSize || off+n*size > pageSize {
		return Range{}, true
	}
	for ; n > 0; n-- {
		p := header[off:][:phdrSize]
		off += phdrSize
		if uint32(word(p)) != embedded.Segment {
			continue
		}
		r.Start = word(p[phdrVaddr:])
		r.End = r.Start + word(p[phdrMemsz:])
		if r.Start%pageSize != 0 || r.Start < end || r.End < r.Start || r.End > 1<<32 {
			return Range{}, false
		}
		return r, true
	}
	return Range{}, true
}

func half(b []byte) uint64 { return uint64(b[0]) | uint64(b[1])<<8 }

func word(b []byte) uint64 {
	return half(b) | half(b[2:])<<16 | half(b[4:])<<32 | half(b[6:])<<48
}
