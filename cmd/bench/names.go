package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/rows"
	"github.com/yolkos/yolk/cmd/bench/internal/tree"
)

// small opens, reads and closes many files.
func (b *bench) small() error {
	names := list(b.Smalls, tree.Small)
	buf := make([]byte, 2*tree.SmallSize)
	read := func() error {
		for _, name := range names {
			if err := readSmall(name, buf); err != nil {
				return err
			}
		}
		return nil
	}
	if err := once("small", len(names), read); err != nil {
		return err
	}
	return again("small-again", len(names), read)
}

func readSmall(name string, buf []byte) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if n, err := io.ReadFull(f, buf); err != io.ErrUnexpectedEOF || n != tree.SmallSize {
		return fmt.Errorf("%s: %d bytes, %w", name, n, err)
	}
	return nil
}

func (b *bench) stat() error {
	for _, depth := range tree.Depths {
		names := list(b.Chains, func(i int) string { return tree.Chain(depth, i) })
		stat := func() error {
			for _, name := range names {
				if _, err := os.Stat(name); err != nil {
					return err
				}
			}
			return nil
		}
		if err := once(fmt.Sprintf("stat-%d", depth), len(names), stat); err != nil {
			return err
		}
		if err := again(fmt.Sprintf("stat-%d-again", depth), len(names), stat); err != nil {
			return err
		}
	}
	return nil
}

// readdir lists directories that hold different numbers of entries.
func (b *bench) readdir() error {
	for _, entries := range b.Dirs {
		n := tree.DirsOf(entries)
		err := once(fmt.Sprintf("readdir-%d", entries), n*entries, func() error {
			for i := range n {
				got, err := os.ReadDir(tree.Dir(entries, i))
				if err != nil {
					return err
				}
				if len(got) != entries {
					return fmt.Errorf("%s has %d entries, want %d", tree.Dir(entries, i), len(got), entries)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// walk visits a tree and asks for the attributes of all that it finds.
func (b *bench) walk() error {
	entries := 1 + b.Tops*(1+b.Leaves)
	walk := func() error {
		n := 0
		err := filepath.WalkDir("walk", func(_ string, d fs.DirEntry, err error) error {
			n++
			if err == nil {
				_, err = d.Info()
			}
			return err
		})
		if err == nil && n != entries {
			err = fmt.Errorf("%d entries, want %d", n, entries)
		}
		return err
	}
	if err := once("walk", entries, walk); err != nil {
		return err
	}
	return again("walk-again", entries, walk)
}

func (b *bench) create() error {
	data := make([]byte, tree.SmallSize)
	return once("create", b.Changes, func() error {
		for i := range b.Changes {
			if err := createAndRemove(fmt.Sprintf("%s/new%d", tree.Scratch, i), data); err != nil {
				return err
			}
		}
		return nil
	})
}

func createAndRemove(name string, data []byte) error {
	if err := os.WriteFile(name, data, 0o644); err != nil {
		return err
	}
	return os.Remove(name)
}

func (b *bench) rename() error {
	name := func(prefix string) func(int) string {
		return func(i int) string { return fmt.Sprintf("%s/%s%d", tree.Scratch, prefix, i) }
	}
	from, to := list(b.Changes, name("from")), list(b.Changes, name("to"))
	for _, f := range from {
		if err := os.WriteFile(f, nil, 0o644); err != nil {
			return err
		}
	}
	return once("rename", len(from), func() error {
		for i := range from {
			if err := os.Rename(from[i], to[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// mixed is what a server does all day: reads of small and large files, looks
// at attributes, and now and then a new file.
func (b *bench) mixed() error {
	const workers = 16
	large, err := os.Open(tree.Large(0))
	if err != nil {
		return err
	}
	defer large.Close()
	return once("mixed", workers*b.Mixed, func() error {
		return parallel(workers, func(w int) error {
			buf := make([]byte, 2*pageSize)
			for i := range b.Mixed {
				k := (w*b.Mixed + i) * 7919
				var err error
				switch i % 8 {
				case 0, 1, 2:
					err = readSmall(tree.Small(k%b.Smalls), buf)
				case 3, 4, 5:
					_, err = os.Stat(tree.Chain(4, k%b.Chains))
				case 6:
					_, err = large.ReadAt(buf, int64(k)%(b.Large/pageSize-1)*pageSize)
				case 7:
					err = createAndRemove(fmt.Sprintf("%s/mixed%d-%d", tree.Scratch, w, i), buf[:tree.SmallSize])
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// compute has goroutines work that touch neither files nor memory.
func (b *bench) compute() error {
	const workers, steps = 4, 100e6
	return again(rows.Compute.Name, workers*steps/1e6, func() error {
		return parallel(workers, func(w int) error {
			x := uint64(w)
			for range int(steps) {
				x = x*6364136223846793005 + 1442695040888963407 // an LCG of Knuth's
			}
			if x == 0 {
				return errors.New("the numbers have ended") // keeps the loop
			}
			return nil
		})
	})
}

// idle gives the host time to look how much an idle guest costs it.
func (b *bench) idle() error {
	time.Sleep(500 * time.Millisecond) // until what the rows before have begun is over
	fmt.Println(rows.LineIdleBegin)
	time.Sleep(3 * time.Second)
	fmt.Println(rows.LineIdleEnd)
	return nil
}

func list(n int, name func(int) string) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = name(i)
	}
	return names
}
