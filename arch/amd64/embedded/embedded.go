// Package embedded is the form in which an image carries more than its program:
// parts with names, one behind the other, in a segment of the ELF file that is loaded
// behind the program's variables. The builder of images lays them out, the
// kernel finds them before there is a heap.
package embedded

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Names of parts. Args, Env, Cwd and Flags have the form of the launcher's files of
// these names.
const (
	Args  = "args"  // arguments, each ended by NUL
	Env   = "env"   // KEY=VALUE, each ended by NUL
	Cwd   = "cwd"   // working directory
	Flags = "flags" // lines of key=value for the kernel
	Root  = "root"  // the root, of package fs/archive
)

// Segment is the type of the program header that says where the parts lie. A PT_LOAD
// for the same addresses has them loaded. It is one of those that ELF leaves to
// operating systems (PT_LOOS to PT_HIOS).
const Segment = 0x60796f6c

// Room is the least RAM behind the last segment of an image, in bytes, with which the
// kernel comes up.
const Room = 8 << 20

// Of the segment, all numbers little-endian and in bytes:
//
//	0   8    magic
//	8   8    number of parts
//	16  32n  parts: 16 for the name, filled up with NUL; offset, size
const (
	magic     = "YOLKPRT1"
	headSize  = 16
	entrySize = 32
	nameSize  = 16
	maxParts  = 64
	align     = 4096 // of parts, so that files in them can lie in pages of their own
)

// Part is a part that is to be laid out.
type Part struct {
	Name string
	Size uint64
}

// Layout returns the head of a segment with these parts, the offset of each, and
// the size of the whole.
func Layout(parts []Part) (head []byte, offsets []uint64, size uint64, err error) {
	if len(parts) > maxParts {
		return nil, nil, 0, fmt.Errorf("%d parts; %d are the most", len(parts), maxParts)
	}
	head = append(head, magic...)
	head = binary.LittleEndian.AppendUint64(head, uint64(len(parts)))
	size = uint64(headSize + entrySize*len(parts))
	for _, p := range parts {
		if p.Name == "" || len(p.Name) > nameSize {
			return nil, nil, 0, fmt.Errorf("part %q: a name has 1 to %d bytes", p.Name, nameSize)
		}
		size = (size + align - 1) &^ (align - 1)
		offsets = append(offsets, size)
		var name [nameSize]byte
		copy(name[:], p.Name)
		head = append(head, name[:]...)
		head = binary.LittleEndian.AppendUint64(head, size)
		head = binary.LittleEndian.AppendUint64(head, p.Size)
		size += p.Size
	}
	return head, offsets, size, nil
}

// Find returns the part of that name in a segment. Without one, or with one that
// is not as Layout makes it, there is none. It does not allocate.
func Find(segment []byte, name string) (part []byte, ok bool) {
	n := count(segment, uint64(len(segment)))
	for i := range n {
		off, size, is := entry(segment, i, name, uint64(len(segment)))
		if is {
			return segment[off:][:size:size], true
		}
	}
	return nil, false
}

// Section is Find for a segment in a file, of so many bytes; nil: there is no such part.
func Section(segment io.ReaderAt, size uint64, name string) (*io.SectionReader, error) {
	if size < headSize {
		return nil, nil
	}
	head := make([]byte, min(size, headSize+entrySize*maxParts))
	if _, err := segment.ReadAt(head, 0); err != nil {
		return nil, err
	}
	for i := range count(head, size) {
		if off, size, is := entry(head, i, name, size); is {
			return io.NewSectionReader(segment, int64(off), int64(size)), nil
		}
	}
	return nil, nil
}

// count is how many parts a segment of size bytes has, whose head is given.
func count(head []byte, size uint64) uint64 {
	if len(head) < headSize || string(head[:len(magic)]) != magic {
		return 0
	}
	n := binary.LittleEndian.Uint64(head[8:])
	if n > maxParts || size < headSize+entrySize*n || uint64(len(head)) < headSize+entrySize*n {
		return 0
	}
	return n
}

// entry returns where the part i lies in a segment of total bytes, if it lies in there
// and has that name.
func entry(head []byte, i uint64, name string, total uint64) (off, size uint64, is bool) {
	e := head[headSize+entrySize*i:][:entrySize]
	if name == "" || len(name) > nameSize || string(e[:len(name)]) != name || len(name) < nameSize && e[len(name)] != 0 {
		return 0, 0, false
	}
	off = binary.LittleEndian.Uint64(e[nameSize:])
	size = binary.LittleEndian.Uint64(e[nameSize+8:])
	return off, size, off <= total && size <= total-off
}
