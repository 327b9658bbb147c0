package blockdev

import "fmt"

// Partition is a part of a disk, in bytes.
type Partition struct {
	Number      int // from 1 on; those in an extended partition of an MBR from 5 on
	Start, Size int64
}

// maxPartitions is how many partitions of a disk are looked at, as there are device
// numbers for (devices.txt has 16 for each disk, one of them its own).
const maxPartitions = 15

// Reader reads at any place, fewer bytes at the end: a Device, or an io.ReaderAt.
type Reader interface {
	ReadAt(p []byte, off int64) (int, error)
}

// source is what tables are read from.
type source struct {
	r     Reader
	size  int64
	block int64
}

// read reads n bytes at off, all of them.
func (s source) read(off int64, n int) ([]byte, error) {
	if off < 0 || off > s.size-int64(n) {
		return nil, fmt.Errorf("%d bytes at %d are beyond the end, at %d", n, off, s.size)
	}
	b := make([]byte, n)
	if m, err := s.r.ReadAt(b, off); m < n {
		return nil, fmt.Errorf("%d bytes at %d: %w", n, off, err)
	}
	return b, nil
}

// Partitions reads a disk's table: a GPT, its second copy where the first is broken,
// else an MBR. A disk without a table has none. What is wrong with a table is an error
// that says where; partitions that are outside of the disk, or overlap an earlier one,
// are left out and said so, with the others.
func Partitions(r Reader, size int64, block int) ([]Partition, error) {
	s := source{r, size, int64(block)}
	mbr, err := s.read(0, mbrSize)
	if err != nil || mbr[510] != 0x55 || mbr[511] != 0xaa {
		return nil, nil
	}
	if protective(mbr) {
		return s.gpt()
	}
	return s.mbr(mbr)
}

// sound leaves out what cannot be, and says what that was.
func (s source) sound(list []Partition) (good []Partition, err error) {
	for _, p := range list {
		switch o := overlapping(good, p); {
		case p.Start < 0 || p.Size <= 0 || p.Start > s.size || p.Size > s.size-p.Start:
			err = fmt.Errorf("partition %d: %d bytes at %d of a disk of %d", p.Number, p.Size, p.Start, s.size)
		case o != 0:
			err = fmt.Errorf("partition %d: %d bytes at %d overlap partition %d", p.Number, p.Size, p.Start, o)
		case len(good) == maxPartitions || p.Number > maxPartitions:
			err = fmt.Errorf("partition %d: only %d are looked at", p.Number, maxPartitions)
		default:
			good = append(good, p)
		}
	}
	return good, err
}

// overlapping is the number of the partition that p overlaps, or 0.
func overlapping(list []Partition, p Partition) int {
	for _, o := range list {
		if p.Start < o.Start+o.Size && o.Start < p.Start+p.Size {
			return o.Number
		}
	}
	return 0
}
