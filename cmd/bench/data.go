package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"github.com/yolkos/yolk/cmd/bench/internal/tree"
)

// pageSize is the unit of random access, in bytes.
const pageSize = 4096

// read reads large files from start to end.
func (b *bench) read() error {
	for i, size := range []struct {
		name  string
		bytes int64
	}{{"128m", 128 << 20}, {"1m", 1 << 20}, {"64k", 64 << 10}} {
		buf := make([]byte, min(size.bytes, b.Large))
		touch(buf)
		name := tree.Large(i)
		read := func() error { return readWhole(name, buf, b.Large) }
		if err := moved("read-"+size.name, b.Large, 1, read); err != nil {
			return err
		}
		if err := moved("read-"+size.name+"-again", b.Large, 5, read); err != nil {
			return err
		}
	}
	return nil
}

// touch has the system back a buffer with memory before the clock runs.
func touch(buf []byte) {
	for i := 0; i < len(buf); i += pageSize {
		buf[i] = 1
	}
}

func readWhole(name string, buf []byte, want int64) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	got := int64(0)
	for {
		n, err := f.Read(buf)
		got += int64(n)
		if err == io.EOF && got == want {
			return nil
		}
		if err != nil {
			return fmt.Errorf("after %d of %d bytes: %w", got, want, err)
		}
	}
}

func (b *bench) write() error {
	buf := make([]byte, 1<<20)
	touch(buf)
	return moved("write", b.Large, 1, func() error {
		f, err := os.Create(tree.Scratch + "/large")
		if err != nil {
			return err
		}
		defer f.Close()
		for done := int64(0); done < b.Large; done += int64(len(buf)) {
			if _, err := f.Write(buf); err != nil {
				return err
			}
		}
		return f.Sync()
	})
}

// random reads and writes pages, each one once.
func (b *bench) random() error {
	for i, workers := range []int{1, 16} {
		f, err := os.Open(tree.RandomFile(i))
		if err != nil {
			return err
		}
		err = b.pages(fmt.Sprintf("pread-%d", workers), workers, f.ReadAt, nil)
		f.Close()
		if err != nil {
			return err
		}
	}
	for i, workers := range []int{1, 16} {
		f, err := os.OpenFile(tree.Scratch+"/"+tree.RandomFile(i), os.O_RDWR, 0)
		if err != nil {
			return err
		}
		err = b.pages(fmt.Sprintf("pwrite-%d", workers), workers, f.WriteAt, nil)
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// pages reads or writes pages with at. The time until end has returned counts as well, if there is one.
func (b *bench) pages(name string, workers int, at func([]byte, int64) (int, error), end func() error) error {
	order := rand.New(rand.NewPCG(1, 2)).Perm(int(b.Random / pageSize))
	each := b.Preads / workers
	return once(name, each*workers, func() error {
		err := parallel(workers, func(w int) error {
			buf := make([]byte, pageSize)
			for _, page := range order[w*each : (w+1)*each] {
				if _, err := at(buf, int64(page)*pageSize); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil && end != nil {
			err = end()
		}
		return err
	})
}
