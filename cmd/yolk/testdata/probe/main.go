// Program probe is what the tests boot: it tells what it sees.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

func main() {
	switch os.Args[1] {
	case "tree":
		tree(os.Args[2])
	case "echo":
		echo()
	case "names":
		names(os.Args[2])
	case "look":
		look(os.Args[2], os.Args[3:])
	case "exit":
		n, _ := strconv.Atoi(os.Args[2])
		os.Exit(n)
	case "panic":
		panic("the reason")
	case "throw":
		new(sync.Mutex).Unlock()
	case "wait":
		fmt.Println("waiting")
		time.Sleep(time.Hour)
	case "spin":
		fmt.Println("spinning")
		for {
		}
	}
}

// names looks at all files in a directory, 16 at once, and at the first of them
// again, and prints what the kernel then knows.
func names(dir string) {
	list, err := os.ReadDir(dir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	open, err := os.Open(filepath.Join(dir, list[0].Name()))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	looks := append(append([]fs.DirEntry{}, list...), list[:500]...)
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := w; i < len(looks); i += 16 {
				info, err := os.Stat(filepath.Join(dir, looks[i].Name()))
				if err != nil || info.Size() != 0 || !info.Mode().IsRegular() {
					fmt.Println(looks[i].Name(), info, err)
				}
			}
		})
	}
	wg.Wait()
	if info, err := open.Stat(); err != nil || info.Name() != list[0].Name() {
		fmt.Println("the open file:", info, err)
	}
	fmt.Println("looked at", len(looks))
	data, err := os.ReadFile("/proc/yolk/fuse")
	fmt.Println(string(data), err)
}

// look prints, for each line that it reads, one that tells what dir holds: its
// names, files by name, and the first of them as it was opened at the start.
func look(dir string, files []string) {
	open, err := os.Open(filepath.Join(dir, files[0]))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var b strings.Builder
		list, err := os.ReadDir(dir)
		fmt.Fprint(&b, list, err)
		for _, name := range files {
			path := filepath.Join(dir, name)
			info, err := os.Lstat(path)
			if err != nil {
				fmt.Fprintf(&b, "; %s: %v", name, errors.Is(err, fs.ErrNotExist))
				continue
			}
			data, _ := os.ReadFile(path)
			fmt.Fprintf(&b, "; %s: %v %d %v %q", name, info.Mode(), len(data), info.ModTime().UnixNano(), data)
		}
		info, err := open.Stat()
		data := make([]byte, 100)
		n, _ := open.ReadAt(data, 0)
		fmt.Fprintf(&b, "; open: %v %v %d %q", err, info.Mode(), info.Size(), data[:n])
		fmt.Println(b.String())
	}
}

// tree prints a line for each file below dir: its path, its mode, and what it
// holds. What the kernel has of its own at the top is left out.
func tree(dir string) {
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		switch rel {
		case ".":
			return nil
		case "dev", "proc", "tmp":
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Println(rel, info.Mode(), info.ModTime().UnixNano(), content(name, info))
		return nil
	})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func content(name string, info fs.FileInfo) string {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(name)
		return fmt.Sprintf("%q %v", target, err)
	case !info.Mode().IsRegular():
		return ""
	case strings.HasPrefix(filepath.Base(name), "skip"):
		return fmt.Sprint(info.Size())
	}
	f, err := os.Open(name)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	sum := crc32.NewIEEE()
	n, err := io.Copy(sum, f)
	return fmt.Sprintf("%d %08x %v", n, sum.Sum32(), err)
}

func echo() {
	for i, a := range os.Args {
		if len(a) > 100 {
			a = fmt.Sprintf("%d bytes", len(a))
		}
		fmt.Printf("%d %q\n", i, a)
	}
	fmt.Printf("env %q\n", os.Environ())
	dir, err := os.Getwd()
	fmt.Println("dir", dir, err)
	in, err := io.ReadAll(os.Stdin)
	fmt.Printf("in %d %08x %v\n", len(in), crc32.ChecksumIEEE(in), err)
	fmt.Fprintln(os.Stderr, "to stderr")
	os.Stdout.Write([]byte{0, 1, 0xff, '\r', '\n'})
}
