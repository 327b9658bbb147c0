package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/yolkos/yolk/cmd/bench/scale/internal/plan"
)

// Whence values of lseek(2).
const (
	seekData = 3
	seekHole = 4
)

const (
	page  = 4096
	pages = 100      // written at each offset
	step  = 64 << 10 // from one to the next
)

// sparse writes and reads pages of a large file that is a hole for the most.
func sparse(p *plan.Plan) error {
	f, err := os.Create(plan.SparseFile)
	if err != nil {
		return err
	}
	defer os.Remove(plan.SparseFile)
	defer f.Close()
	offsets := p.Sizes[plan.Sparse]
	end := int64(offsets[len(offsets)-1]) + pages*step
	if err := f.Truncate(end); err != nil {
		return err
	}
	for _, off := range offsets {
		if err := sparseAt(f, int64(off)); err != nil {
			return err
		}
	}
	for _, off := range offsets {
		cut := each(func(i int) error { return f.Truncate(int64(off + i*step)) })
		if err := measure(plan.Sparse, off, "truncate", 0, pages, cut); err != nil {
			return err
		}
		info, err := f.Stat()
		if want := int64(off + (pages-1)*step); err != nil || info.Size() != want {
			return fmt.Errorf("%d bytes after truncating to %d, %w", info.Size(), want, err)
		}
	}
	return nil
}

// sparseAt works on the pages at off and behind it; before there is a hole.
func sparseAt(f *os.File, off int64) error {
	at := func(i int) int64 { return off + int64(i)*step }
	data := func(i int) []byte { return bytes.Repeat([]byte(fmt.Sprintf("%015d\n", at(i))), page/16) }
	buf := make([]byte, page)
	for _, x := range []struct {
		column string
		do     func(i int) error
	}{
		{"pwrite", func(i int) error { _, err := f.WriteAt(data(i), at(i)); return err }},
		{"pread", func(i int) error {
			if _, err := f.ReadAt(buf, at(i)); err != nil || !bytes.Equal(buf, data(i)) {
				return fmt.Errorf("reads %.15q, %w", buf, err)
			}
			return nil
		}},
		{"hole", func(i int) error {
			n, err := f.ReadAt(buf, at(i)+page)
			if err != nil && (err != io.EOF || i < pages-1) || !bytes.Equal(buf[:n], make([]byte, n)) {
				return fmt.Errorf("hole reads %.15q, %w", buf, err)
			}
			return nil
		}},
		{"seek", func(i int) error {
			hole, err := f.Seek(at(i), seekHole)
			if err != nil || hole != at(i)+page {
				return fmt.Errorf("hole at %d, %w", hole, err)
			}
			if i == pages-1 {
				return nil
			}
			next, err := f.Seek(hole, seekData)
			if err != nil || next != at(i+1) {
				return fmt.Errorf("data at %d, %w", next, err)
			}
			return nil
		}},
	} {
		if err := measure(plan.Sparse, int(off), x.column, 0, pages, each(x.do)); err != nil {
			return fmt.Errorf("%s at %d: %w", x.column, off, err)
		}
	}
	return nil
}
