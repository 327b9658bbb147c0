package blockdev

import (
	"encoding/binary"
	"fmt"
)

// Parts of a master boot record (UEFI 2.10 §5.2.1): four entries of 16 bytes at 446.
// Their blocks are the disk's logical ones.
const (
	mbrSize      = 512
	mbrEntries   = 446
	mbrEntrySize = 16
	mbrGPT       = 0xee // of a GPT's protective MBR
)

// extended tells if a type is that of a partition with others in it.
func extended(kind byte) bool { return kind == 0x05 || kind == 0x0f || kind == 0x85 }

// mbrEntry is a line of a table, in blocks.
type mbrEntry struct {
	kind         byte
	start, count int64
}

func mbrEntryAt(b []byte, i int) mbrEntry {
	e := b[mbrEntries+i*mbrEntrySize:]
	return mbrEntry{e[4], int64(binary.LittleEndian.Uint32(e[8:])), int64(binary.LittleEndian.Uint32(e[12:]))}
}

// protective tells if an MBR is there for those who do not know the GPT.
func protective(b []byte) bool {
	for i := range 4 {
		if mbrEntryAt(b, i).kind == mbrGPT {
			return true
		}
	}
	return false
}

// plausible tells a table from the code of a boot sector, in which the places of the
// entries may have anything: the first byte of each is 0 or 0x80 (active).
func plausible(b []byte) bool {
	for i := range 4 {
		if b[mbrEntries+i*mbrEntrySize]&0x7f != 0 {
			return false
		}
	}
	return true
}

func (s source) mbr(b []byte) ([]Partition, error) {
	if !plausible(b) {
		return nil, nil
	}
	var list []Partition
	var chain int64 // block of the first table in the extended partition
	for i := range 4 {
		e := mbrEntryAt(b, i)
		switch {
		case e.kind == 0 || e.count == 0:
		case extended(e.kind):
			chain = e.start
		default:
			list = append(list, Partition{i + 1, e.start * s.block, e.count * s.block})
		}
	}
	logical, problem := s.logical(chain)
	list, err := s.sound(append(list, logical...))
	if problem != nil {
		err = problem
	}
	return list, err
}

// logical reads the chain of tables in an extended partition: each has a partition,
// counted from the table, and the place of the next table, counted from the first.
func (s source) logical(first int64) (list []Partition, err error) {
	for at, n := first, 5; at != 0; n++ {
		if n > maxPartitions {
			return list, fmt.Errorf("extended partition: more than %d, or a chain without an end", n-5)
		}
		b, err := s.read(at*s.block, mbrSize)
		if err != nil {
			return list, fmt.Errorf("extended partition: %w", err)
		}
		if b[510] != 0x55 || b[511] != 0xaa {
			return list, fmt.Errorf("extended partition: no table in block %d", at)
		}
		if e := mbrEntryAt(b, 0); e.kind != 0 && e.count != 0 {
			list = append(list, Partition{n, (at + e.start) * s.block, e.count * s.block})
		}
		if e := mbrEntryAt(b, 1); extended(e.kind) && e.start != 0 {
			at = first + e.start
		} else {
			at = 0
		}
	}
	return list, nil
}
