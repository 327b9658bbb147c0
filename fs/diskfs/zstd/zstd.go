// Package zstd decompresses Zstandard (RFC 8878) into a slice, which is also the window: blocks of file
// systems are small, and how long they are is known. Libraries have variables that are
// initialised when the program's are, and disks are mounted before that.
package zstd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
)

var le = binary.LittleEndian

// Numbers of RFC 8878 §3.1.
const (
	frameMagic = 0xfd2fb528
	skipMagic  = 0x184d2a50 // with any low four bits
	maxBlock   = 128 << 10  // of a block, in bytes, either way
)

// Corrupt is what is wrong with compressed bytes.
type Corrupt struct{ What string }

func (c *Corrupt) Error() string { return fmt.Sprintf("bytes are not what zstd makes: %s", c.What) }

func corrupt(what string, args ...any) error { return &Corrupt{fmt.Sprintf(what, args...)} }

// errFull ends a frame that has more than there is room for.
var errFull error = full{}

type full struct{}

func (full) Error() string { return "zstd: no room" }

// decoder is what a frame is decompressed with. Tables of one block may be used by those behind it.
type decoder struct {
	dst      []byte // of this frame
	n        int    // bytes there
	literals []byte // of a block
	space    [maxBlock]byte
	huffman  huffman
	codes    [3]codes // by codeLL and so on
	repeats  [3]uint64
}

var decoders sync.Pool // of *decoder

// Decode makes dst of the frames of src, and returns how many bytes of it. More: it is not all of
// them. Checksums of contents are not compared, and dictionaries are refused.
func Decode(dst, src []byte) (n int, more bool, err error) {
	d, _ := decoders.Get().(*decoder)
	if d == nil {
		d = new(decoder)
	}
	defer decoders.Put(d)
	for len(src) > 0 {
		if len(src) >= 8 && le.Uint32(src)&^15 == skipMagic {
			size := uint64(le.Uint32(src[4:]))
			if size > uint64(len(src)-8) {
				return n, false, corrupt("a skippable frame of %d bytes crosses the end", size)
			}
			src = src[8+size:]
			continue
		}
		d.dst, d.n = dst[n:], 0
		src, err = d.frame(src)
		n += d.n
		d.dst, d.literals = nil, nil
		if errors.Is(err, errFull) {
			return n, true, nil
		}
		if err != nil {
			return n, false, err
		}
	}
	return n, false, nil
}

// frame decompresses a frame, and returns what is behind it.
func (d *decoder) frame(src []byte) ([]byte, error) {
	if len(src) < 5 || le.Uint32(src) != frameMagic {
		return nil, corrupt("no frame of Zstandard")
	}
	descriptor := src[4]
	single := descriptor&0x20 != 0
	size := [...]int{0, 2, 4, 8}[descriptor>>6] // of the content's size, which need not be known
	if size == 0 && single {
		size = 1
	}
	if !single {
		size++ // the window's
	}
	switch {
	case descriptor&8 != 0:
		return nil, corrupt("Frame_Header_Descriptor is %#x: a reserved bit is set", descriptor)
	case descriptor&3 != 0:
		return nil, corrupt("it needs a dictionary, which is not supported")
	case len(src) < 5+size:
		return nil, corrupt("the header of the frame crosses the end")
	}
	src = src[5+size:]
	d.repeats = [3]uint64{1, 4, 8}
	d.huffman.bits = 0
	for i := range d.codes {
		d.codes[i].has = false
	}
	for last := false; !last; {
		if len(src) < 3 {
			return nil, corrupt("the header of a block crosses the end")
		}
		head := uint(src[0]) | uint(src[1])<<8 | uint(src[2])<<16
		src = src[3:]
		last = head&1 != 0
		kind, size := head>>1&3, int(head>>3)
		stored := size
		if kind == blockRLE {
			stored = 1
		}
		if size > maxBlock || stored > len(src) {
			return nil, corrupt("a block of %d bytes, want at most %d", size, min(maxBlock, len(src)))
		}
		if err := d.block(kind, size, src[:stored]); err != nil {
			return nil, err
		}
		src = src[stored:]
	}
	if descriptor&4 != 0 { // the checksum
		if len(src) < 4 {
			return nil, corrupt("Content_Checksum crosses the end")
		}
		src = src[4:]
	}
	return src, nil
}

// Types of blocks (§3.1.1.2.2).
const (
	blockRaw = iota
	blockRLE
	blockCompressed
)

func (d *decoder) block(kind uint, size int, src []byte) error {
	switch kind {
	case blockRaw:
		return d.append(src)
	case blockRLE:
		end := min(d.n+size, len(d.dst))
		for i := d.n; i < end; i++ {
			d.dst[i] = src[0]
		}
		short := end < d.n+size
		if d.n = end; short {
			return errFull
		}
		return nil
	case blockCompressed:
		src, err := d.readLiterals(src)
		if err != nil {
			return err
		}
		return d.sequences(src)
	}
	return corrupt("a block of the type %d, want 0 to 2", kind)
}

// append adds bytes as they are.
func (d *decoder) append(b []byte) error {
	n := copy(d.dst[d.n:], b)
	if d.n += n; n < len(b) {
		return errFull
	}
	return nil
}

// match adds bytes that were there some distance before.
func (d *decoder) match(back uint64, size int) error {
	if back == 0 || back > uint64(d.n) {
		return corrupt("an offset of %d, want 1 to %d", back, d.n)
	}
	end := min(d.n+size, len(d.dst))
	short := end < d.n+size
	from := d.n - int(back)
	// What is copied may be what this match has made.
	for d.n < end {
		d.n += copy(d.dst[d.n:end], d.dst[from:d.n])
	}
	if short {
		return errFull
	}
	return nil
}
