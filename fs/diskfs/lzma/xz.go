package lzma

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
)

// Filters of a block (The .xz File Format, §5.3).
const (
	filterX86   = 0x04
	filterLZMA2 = 0x21
)

// XZ makes dst of a .xz stream, and returns how many bytes of it. More: it is not all of them. Of
// checks of contents CRC32 is compared; the index is not read.
func XZ(dst, src []byte) (n int, more bool, err error) {
	const magic, header = "\xfd7zXZ\x00", 12
	if len(src) < header || string(src[:len(magic)]) != magic {
		return 0, false, corrupt("no stream of xz")
	}
	if sum := crc32.ChecksumIEEE(src[6:8]); sum != le.Uint32(src[8:]) {
		return 0, false, corrupt("Stream Flags: CRC32 is %#x, want %#x", le.Uint32(src[8:]), sum)
	}
	check := src[7] & 15
	if src[6] != 0 || src[7]&^15 != 0 {
		return 0, false, corrupt("Stream Flags are %#x %#x: reserved bits are set", src[6], src[7])
	}
	d := newDecoder(dst)
	defer d.free()
	for src = src[header:]; ; {
		switch {
		case len(src) == 0:
			return d.n, false, corrupt("the stream ends without an index")
		case src[0] == 0: // the index
			return d.n, false, nil
		}
		if src, more, err = d.xzBlock(src, check); err != nil || more {
			return d.n, more, err
		}
	}
}

// xzBlock decompresses a block, and returns what is behind it.
func (d *decoder) xzBlock(src []byte, check byte) (rest []byte, more bool, err error) {
	size := (int(src[0]) + 1) * 4
	if size > len(src) || size < 8 {
		return nil, false, corrupt("Block Header Size is %d, want 8 to %d", size, len(src))
	}
	head, sum := src[:size-4], crc32.ChecksumIEEE(src[:size-4])
	if sum != le.Uint32(src[size-4:]) {
		return nil, false, corrupt("Block Header: CRC32 is %#x, want %#x", le.Uint32(src[size-4:]), sum)
	}
	x86, err := filters(head[1:])
	if err != nil {
		return nil, false, err
	}
	body := src[size:]
	first := d.n
	used, more, err := d.lzma2(body)
	if err != nil {
		return nil, false, err
	}
	if x86 {
		unX86(d.dst[first:d.n])
	}
	if more {
		return nil, true, nil
	}
	// The check stands behind padding, and has a size by its kind (§2.1.1.2).
	end := (used + 3) &^ 3
	sizes := [16]int{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}
	if end+sizes[check] > len(body) {
		return nil, false, corrupt("Check crosses the end")
	}
	if check == 1 {
		if got, want := le.Uint32(body[end:]), crc32.ChecksumIEEE(d.dst[first:d.n]); got != want {
			return nil, false, corrupt("Check is %#x, want %#x", got, want)
		}
	}
	return body[end+sizes[check]:], false, nil
}

// filters reads the flags and filters of a block's header (§3.1), and reports whether x86's is one.
func filters(b []byte) (x86 bool, err error) {
	flags := b[0]
	b = b[1:]
	number := func() (v uint64) {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			err = corrupt("a number of Block Header crosses its end")
			return 0
		}
		b = b[n:]
		return v
	}
	if flags&0x3c != 0 {
		return false, corrupt("Block Flags are %#x: reserved bits are set", flags)
	}
	for bit := byte(0x40); bit != 0; bit <<= 1 { // sizes, which need not be there
		if flags&bit != 0 {
			number()
		}
	}
	count := int(flags&3) + 1
	for i := range count {
		id, size := number(), number()
		switch {
		case err != nil:
			return false, err
		case size > uint64(len(b)):
			return false, corrupt("properties of a filter have %d bytes, want at most %d", size, len(b))
		case id == filterX86 && size == 0 && i == 0 && count == 2:
			x86 = true
		case id != filterLZMA2 || i != count-1:
			return false, corrupt("filter %#x is not supported; make it with no filter, or x86's alone", id)
		}
		b = b[size:]
	}
	return x86, nil
}

// lzma2 decompresses the chunks of LZMA2, and returns how many bytes they have.
func (d *decoder) lzma2(src []byte) (used int, more bool, err error) {
	need := byte(0xe0) // what the next chunk has to reset, at least: all
	for at := 0; ; {
		if at >= len(src) {
			return at, false, corrupt("the chunks have no end")
		}
		control := src[at]
		if control == 0 {
			return at + 1, false, nil
		}
		header := 3
		if control >= 0x80 {
			header = 5
			if control >= 0xc0 {
				header++ // properties
			}
		}
		if at+header > len(src) {
			return at, false, corrupt("the header of a chunk crosses the end")
		}
		size, packed := 1+(int(src[at+1])<<8|int(src[at+2])), 0
		if control >= 0x80 {
			size += int(control&0x1f) << 16
			packed = 1 + (int(src[at+3])<<8 | int(src[at+4]))
		} else {
			packed = size
		}
		body := src[at+header:]
		if packed > len(body) {
			return at, false, corrupt("a chunk of %d bytes, want at most %d", packed, len(body))
		}
		body = body[:packed]
		at += header + packed
		end := min(d.n+size, len(d.dst))
		more := end < d.n+size
		switch {
		case control == 1 || control >= 0xe0:
			d.start = d.n
			if control == 1 {
				need = 0xc0
			}
		case need == 0xe0:
			return at, false, corrupt("the first chunk is %#x, which does not reset the dictionary", control)
		}
		switch {
		case control > 2 && control < 0x80:
			return at, false, corrupt("a chunk of the kind %#x", control)
		case control < 0x80:
			d.n += copy(d.dst[d.n:end], body)
		default:
			if control < need {
				return at, false, corrupt("a chunk of the kind %#x, want one that resets as much as %#x", control, need)
			}
			if control >= 0xc0 {
				if err := d.setProps(src[at-packed-1]); err != nil {
					return at, false, err
				}
			}
			if control >= 0xa0 {
				d.reset()
			}
			need = 0
			d.begin(body[min(1, len(body)):])
			marked, err := d.run(end)
			if err == nil && marked {
				err = corrupt("a chunk of LZMA2 with a marker of the end")
			}
			if err != nil {
				return at, false, err
			}
		}
		if more {
			return at, true, nil
		}
	}
}

// unX86 makes relative again what x86's filter has made absolute (§5.3.2): the targets of calls and jumps, opcodes
// 0xe8 and 0xe9, whose highest byte is 0 or 0xff.
func unX86(b []byte) {
	const size = 5 // of such an instruction
	near := func(v byte) bool { return v == 0 || v == 0xff }
	last := -1        // opcode
	seen := uint32(0) // which of the three bytes before are opcodes that were left as they are
	for i := 0; i+size <= len(b); i++ {
		if b[i]&0xfe != 0xe8 {
			continue
		}
		if gap := i - last; gap > 3 {
			seen = 0
		} else {
			seen = seen << (gap - 1) & 7
		}
		last = i
		width := bits.Len32(seen)
		if seen&(seen-1) != 0 || seen != 0 && near(b[i+4-width]) || !near(b[i+4]) {
			seen = seen<<1 | 1
			continue
		}
		to := le.Uint32(b[i+1:])
		for {
			to -= uint32(i + size)
			if seen == 0 || !near(byte(to>>(24-8*width))) {
				break
			}
			to ^= 1<<(32-8*width) - 1
		}
		to &= 0x01ffffff
		if to&0x01000000 != 0 {
			to |= 0xff000000
		}
		le.PutUint32(b[i+1:], to)
		i += size - 1
	}
}
