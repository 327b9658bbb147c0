// Program probe is what the tests boot: it tells what it sees.
package main

import (
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	switch os.Args[1] {
	case "tree":
		tree(os.Args[2])
	case "echo":
		echo()
	case "exit":
		n, _ := strconv.Atoi(os.Args[2])
		os.Exit(n)
	case "panic":
		panic("the reason")
	case "wait":
		fmt.Println("waiting")
		time.Sleep(time.Hour)
	case "spin":
		fmt.Println("spinning")
		for {
		}
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
