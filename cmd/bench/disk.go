package main

import (
	"fmt"
	"os"

	"github.com/yolkos/yolk/cmd/bench/internal/guest"
)

// disk reads and writes a disk: a device in a guest, a file on the host. Each row has an area of its own, in
// which it reads or writes each byte once at most, and what is written is on the host's side at the end.
func (b *bench) disk() error {
	name, flags := b.diskFile, os.O_RDWR
	if b.direct {
		flags |= guest.Direct
	}
	if name == "" {
		var err error
		if name, err = guest.Disk(); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(name, flags, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	// Buffers of whole pages begin at one, as O_DIRECT wants it.
	buf := make([]byte, 1<<20)
	touch(buf)
	all := func(at func([]byte, int64) (int, error), end func() error) func() error {
		return func() error {
			for off := int64(0); off < b.Large; off += int64(len(buf)) {
				if _, err := at(buf, off); err != nil {
					return err
				}
			}
			return end()
		}
	}
	if err := moved("disk-read", b.Large, 1, all(f.ReadAt, func() error { return nil })); err != nil {
		return err
	}
	if err := moved("disk-write", b.Large, 1, all(f.WriteAt, f.Sync)); err != nil {
		return err
	}
	area := b.Large
	for _, row := range []struct {
		name string
		at   func([]byte, int64) (int, error)
		end  func() error
	}{{"disk-pread", f.ReadAt, nil}, {"disk-pwrite", f.WriteAt, f.Sync}} {
		for _, workers := range []int{1, 16} {
			start := area
			area += b.Random
			at := func(p []byte, off int64) (int, error) { return row.at(p, start+off) }
			if err := b.pages(fmt.Sprintf("%s-%d", row.name, workers), workers, at, row.end); err != nil {
				return err
			}
		}
	}
	return nil
}
