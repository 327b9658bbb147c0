package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/cmd/bench/internal/ops"
)

// Names in the directory that all works in.
const (
	file1   = "file"
	file4   = "a/b/c/file"
	missing = "missing"
	many    = "many" // a directory of manyNames files
)

// The directory that is listed has 101 names, "." and ".." not counted.
const manyNames = 101

// lay makes the files.
func lay() error {
	if err := os.MkdirAll(filepath.Dir(file4), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(many, 0o755); err != nil {
		return err
	}
	names := []string{file1, file4}
	for i := range manyNames {
		names = append(names, fmt.Sprintf("%s/name-%03d", many, i))
	}
	for _, name := range names {
		if err := os.WriteFile(name, make([]byte, 4096), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// of counts an operation on a file system.
func (c counter) of(fs, name string, n int, op func() error) {
	if name = fs + " " + name; ops.Waits(name) {
		c.Request(name, op)
	} else {
		c.Count(name, n, op)
	}
}

// calls counts those of package syscall that change nothing.
func (c counter) calls(fs string) {
	wd, err := os.Getwd()
	if err != nil && c.Err == nil {
		c.Err = err
	}
	var st syscall.Stat_t
	deep := wd + "/" + file4
	c.of(fs, "stat 1", 200, func() error { return syscall.Stat(file1, &st) })
	c.of(fs, "stat 4", 200, func() error { return syscall.Stat(file4, &st) })
	c.of(fs, "stat absolute", 200, func() error { return syscall.Stat(deep, &st) })
	c.of(fs, "stat missing", 200, func() error {
		if err := syscall.Stat(missing, &st); err != syscall.ENOENT {
			return fmt.Errorf("%v, want ENOENT", err)
		}
		return nil
	})
	fd, err := syscall.Open(file1, syscall.O_RDWR, 0)
	if err != nil && c.Err == nil {
		c.Err = err
	}
	defer syscall.Close(fd)
	c.of(fs, "fstat", 200, func() error { return syscall.Fstat(fd, &st) })
	small, page := make([]byte, 64), make([]byte, 4096)
	c.of(fs, "pread 64", 200, func() error { _, err := syscall.Pread(fd, small, 0); return err })
	c.of(fs, "pread 4096", 200, func() error { _, err := syscall.Pread(fd, page, 0); return err })
	c.of(fs, "open+close", 200, func() error {
		fd, err := syscall.Open(file1, syscall.O_RDONLY, 0)
		if err != nil {
			return err
		}
		return syscall.Close(fd)
	})
	buf := make([]byte, 64<<10)
	c.of(fs, "getdents 101", 20, func() error {
		fd, err := syscall.Open(many, syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		for {
			n, err := syscall.Getdents(fd, buf)
			if err != nil {
				return err
			}
			if n == 0 {
				return syscall.Close(fd)
			}
		}
	})
}

// files counts those of package os that change nothing.
func (c counter) files(fs string) {
	c.of(fs, "os.Stat 1", 200, func() error { _, err := os.Stat(file1); return err })
	c.of(fs, "os.Stat 4", 200, func() error { _, err := os.Stat(file4); return err })
	c.of(fs, "os.Stat missing", 200, func() error {
		if _, err := os.Stat(missing); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%v, want ENOENT", err)
		}
		return nil
	})
	c.of(fs, "os.ReadFile 4096", 100, func() error { _, err := os.ReadFile(file1); return err })
	c.of(fs, "os.ReadDir 101", 10, func() error { _, err := os.ReadDir(many); return err })
	f, err := os.OpenFile(file1, os.O_RDWR, 0)
	if err != nil && c.Err == nil {
		c.Err = err
	}
	defer f.Close()
	small := make([]byte, 64)
	c.of(fs, "os.File.Stat", 200, func() error { _, err := f.Stat(); return err })
	c.of(fs, "os.File.ReadAt 64", 200, func() error { _, err := f.ReadAt(small, 0); return err })
}

// changes counts those that change something.
func (c counter) changes(fs string) {
	fd, err := syscall.Open(file1, syscall.O_RDWR, 0)
	if err != nil && c.Err == nil {
		c.Err = err
	}
	defer syscall.Close(fd)
	small, path := make([]byte, 64), make([]byte, 4096)
	if fs == ops.Tmpfs {
		c.Count("getcwd", 200, func() error { _, err := syscall.Getcwd(path); return err })
	}
	c.of(fs, "pwrite 64", 200, func() error { _, err := syscall.Pwrite(fd, small, 0); return err })
	c.of(fs, "create+remove", 100, func() error {
		fd, err := syscall.Open("new", syscall.O_WRONLY|syscall.O_CREAT|syscall.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		if err := syscall.Close(fd); err != nil {
			return err
		}
		return syscall.Unlink("new")
	})
	c.of(fs, "mkdir+rmdir", 100, func() error {
		if err := syscall.Mkdir("new", 0o755); err != nil {
			return err
		}
		return syscall.Rmdir("new")
	})
	c.of(fs, "rename two", 100, func() error {
		if err := syscall.Rename(file1, "other"); err != nil {
			return err
		}
		return syscall.Rename("other", file1)
	})
	c.of(fs, "os.Create+os.Remove", 100, func() error {
		f, err := os.Create("new")
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		return os.Remove("new")
	})
	c.of(fs, "os.Mkdir+os.Remove", 100, func() error {
		if err := os.Mkdir("new", 0o755); err != nil {
			return err
		}
		return os.Remove("new")
	})
	c.of(fs, "os.Rename two", 100, func() error {
		if err := os.Rename(file1, "other"); err != nil {
			return err
		}
		return os.Rename("other", file1)
	})
	c.of(fs, "os.WriteFile 4096", 100, func() error { return os.WriteFile("other", make([]byte, 4096), 0o644) })
}

// load counts requests while others are in flight, so that requests and replies can
// share notifications and interrupts.
func (c counter) load(fs string) {
	const goroutines, each = 16, 20
	c.Load(fs+" "+ops.UnderLoad, goroutines*each, func() error {
		var wg sync.WaitGroup
		errs := make([]error, goroutines)
		for i := range errs {
			wg.Go(func() {
				var st syscall.Stat_t
				name := fmt.Sprintf("%s %d", missing, i)
				for range each {
					if err := syscall.Stat(name, &st); err != syscall.ENOENT {
						errs[i] = fmt.Errorf("%v, want ENOENT", err)
					}
				}
			})
		}
		wg.Wait()
		return errors.Join(errs...)
	})
}
