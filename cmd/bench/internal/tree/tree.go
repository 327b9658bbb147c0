// Package tree lays out the files that the benchmark works on.
package tree

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

// Layout holds the sizes of everything.
type Layout struct {
	Large   int64 // bytes of a file that is read or written in sequence
	Random  int64 // bytes of a file that is read or written at random
	Preads  int   // of these, how many
	Smalls  int   // files of SmallSize bytes
	Chains  int   // paths of each depth
	Dirs    []int // sizes of directories, in entries
	Tops    int   // directories of the tree to walk,
	Leaves  int   // and files in each
	Changes int   // files to create, or to rename
	Mixed   int   // operations of each of 16 goroutines
}

// SmallSize is the size of a small file, in bytes.
const SmallSize = 2048

// Depths are the numbers of components of the paths for stat.
var Depths = []int{1, 4, 16}

// Full and Quick are the layouts there are.
var (
	Full = Layout{
		Large: 128 << 20, Random: 64 << 20, Preads: 2000, Smalls: 1000, Chains: 64,
		Dirs: []int{10, 1000, 100000}, Tops: 40, Leaves: 50, Changes: 200, Mixed: 100,
	}
	Quick = Layout{
		Large: 32 << 20, Random: 16 << 20, Preads: 500, Smalls: 200, Chains: 16,
		Dirs: []int{10, 1000, 100000}, Tops: 10, Leaves: 50, Changes: 50, Mixed: 25,
	}
)

// Disk is how large a disk is: one area to read and write in sequence, and one for each row of random access.
func (l *Layout) Disk() int64 { return l.Large + 4*l.Random }

// MakeDisk makes the file of a disk.
func MakeDisk(name string, l *Layout) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, rand.NewChaCha8([32]byte{2}), l.Disk())
	return errors.Join(err, f.Close())
}

// DirsOf is how many directories of each size there are, as a small one alone
// takes too little time to measure.
func DirsOf(entries int) int { return max(1, 320/entries) }

// Large, RandomFile and so on name the files, relative to the root.
func Large(i int) string      { return "large" + strconv.Itoa(i) }
func RandomFile(i int) string { return "random" + strconv.Itoa(i) }
func Small(i int) string      { return fmt.Sprintf("small/f%04d", i) }
func Top(i int) string        { return fmt.Sprintf("walk/d%03d", i) }

// Dir names one of the directories with the given number of entries.
func Dir(entries, i int) string { return fmt.Sprintf("dirs/%d-%d", entries, i) }

// Chain names a path that shares no directory with others but the root.
func Chain(depth, i int) string {
	path := fmt.Sprintf("s%d-%d", depth, i)
	for range depth - 1 {
		path += "/c"
	}
	return path
}

// Scratch is the directory for what the benchmark changes.
const Scratch = "scratch"

// Numbers of files.
const (
	Larges  = 3 // one for each buffer size
	Randoms = 2 // for reading with 1 and 16 goroutines
)

// Make creates all but the scratch directory below root.
func Make(root string, l *Layout) error {
	noise := rand.NewChaCha8([32]byte{1})
	file := func(name string, size int64) error {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		if _, err := io.CopyN(f, noise, size); err != nil {
			f.Close()
			return err
		}
		return f.Close()
	}
	type want struct {
		name string
		size int64
	}
	var files []want
	for i := range Larges {
		files = append(files, want{Large(i), l.Large})
	}
	for i := range Randoms {
		files = append(files, want{RandomFile(i), l.Random})
	}
	for i := range l.Smalls {
		files = append(files, want{Small(i), SmallSize})
	}
	for _, depth := range Depths {
		for i := range l.Chains {
			files = append(files, want{Chain(depth, i), 1})
		}
	}
	for _, n := range l.Dirs {
		for i := range DirsOf(n) {
			for k := range n {
				files = append(files, want{fmt.Sprintf("%s/entry%06d", Dir(n, i), k), 0})
			}
		}
	}
	for i := range l.Tops {
		for k := range l.Leaves {
			files = append(files, want{fmt.Sprintf("%s/file%03d", Top(i), k), 100})
		}
	}
	for _, f := range files {
		if err := file(f.name, f.size); err != nil {
			return err
		}
	}
	return nil
}

// Renew empties the scratch directory and puts the files for random writing
// there, and reads the large files so that the host has them in memory.
func Renew(root string, l *Layout) error {
	dir := filepath.Join(root, Scratch)
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	for i := range Randoms {
		if err := copyFile(filepath.Join(dir, RandomFile(i)), filepath.Join(root, RandomFile(i))); err != nil {
			return err
		}
	}
	for i := range Larges {
		if err := copyFile(os.DevNull, filepath.Join(root, Large(i))); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(to, from string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.Create(to)
	if err != nil {
		return err
	}
	defer dst.Close()
	if _, err := io.CopyBuffer(struct{ io.Writer }{dst}, struct{ io.Reader }{src}, make([]byte, 1<<20)); err != nil {
		return err
	}
	if to == os.DevNull {
		return nil
	}
	// What is still to be written to the disk would disturb the measurement.
	return dst.Sync()
}
