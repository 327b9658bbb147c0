package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func touch(p *process, args []string) error {
	flags := p.flags()
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return usageError("no file")
	}
	return p.each(flags.Args(), func(name string) error {
		f, err := os.OpenFile(p.at(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		switch {
		case err == nil:
			return f.Close()
		case errors.Is(err, fs.ErrExist):
			now := time.Now()
			return os.Chtimes(p.at(name), now, now)
		}
		return err
	})
}

func mkdir(p *process, args []string) error {
	f := p.flags()
	parents := f.BoolP("parents", "p", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() == 0 {
		return usageError("no directory")
	}
	return p.each(f.Args(), func(name string) error {
		if *parents {
			return os.MkdirAll(p.at(name), 0o777)
		}
		return os.Mkdir(p.at(name), 0o777)
	})
}

func rmdir(p *process, args []string) error {
	f := p.flags()
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() == 0 {
		return usageError("no directory")
	}
	return p.each(f.Args(), func(name string) error {
		if err := syscall.Rmdir(p.at(name)); err != nil {
			return &fs.PathError{Op: "rmdir", Path: name, Err: err}
		}
		return nil
	})
}

func rm(p *process, args []string) error {
	f := p.flags()
	recursive := f.BoolP("recursive", "r", false, "")
	f.alias("recursive", "R")
	force := f.BoolP("force", "f", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() == 0 && !*force {
		return usageError("no file")
	}
	return p.each(f.Args(), func(name string) error {
		if base := filepath.Base(name); base == "/" || base == "." || base == ".." {
			return fmt.Errorf("%s: not removed, as nobody means that", name)
		}
		info, err := os.Lstat(p.at(name))
		switch {
		case *force && errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !info.IsDir():
			return os.Remove(p.at(name))
		case *recursive:
			return p.removeTree(p.at(name))
		}
		return fmt.Errorf("%s: is a directory: -r removes it with all that is in it", name)
	})
}

// removeTree removes a directory and all that is in it, as far as it is not
// interrupted.
func (p *process) removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := p.interrupted(); err != nil {
			return err
		}
		path := at(dir, e.Name())
		if e.IsDir() {
			err = p.removeTree(path)
		} else {
			err = os.Remove(path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.Remove(dir)
}

func ln(p *process, args []string) error {
	f := p.flags()
	symbolic := f.BoolP("symbolic", "s", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() != 2 {
		return usageError("a target and a name")
	}
	to := p.into(f.Arg(0), f.Arg(1))
	if *symbolic {
		return os.Symlink(f.Arg(0), to)
	}
	return os.Link(p.at(f.Arg(0)), to)
}

// chmod takes modes as chmod(1) does: octal, or changes to some of the bits.
func chmod(p *process, args []string) error {
	f := p.flags()
	recursive := f.BoolP("recursive", "R", false, "")
	f.SetInterspersed(false)
	// A mode that takes something away looks like an option.
	if len(args) > 0 && len(args[0]) > 1 && strings.HasPrefix(args[0], "-") && strings.Trim(args[0][1:], "rwxst") == "" {
		args = append([]string{"--"}, args...)
	}
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() < 2 {
		return usageError("a mode and a file")
	}
	change, err := parseMode(f.Arg(0))
	if err != nil {
		return err
	}
	set := func(path string, info fs.FileInfo) error {
		if info.Mode()&fs.ModeSymlink != 0 {
			return nil // it has none of its own
		}
		return os.Chmod(path, change(info.Mode()))
	}
	return p.each(f.Args()[1:], func(name string) error {
		info, err := os.Stat(p.at(name))
		if err != nil {
			return err
		}
		if !*recursive {
			return set(p.at(name), info)
		}
		return p.walk(name, func(name string, info fs.FileInfo, _ int) error {
			return set(p.at(name), info)
		})
	})
}

// into is the path where a file goes: to a name, or into the directory that has
// the name.
func (p *process) into(from, to string) string {
	to = p.at(to)
	if info, err := os.Stat(to); err == nil && info.IsDir() {
		return at(to, filepath.Base(from))
	}
	return to
}

// eachInto calls f for each file but the last name, which is where they go, with
// paths.
func (p *process) eachInto(names []string, f func(from, to string) error) error {
	if len(names) < 2 {
		return usageError("from where to where?")
	}
	target := names[len(names)-1]
	if len(names) > 2 {
		if info, err := os.Stat(p.at(target)); err != nil {
			return err
		} else if !info.IsDir() {
			return fmt.Errorf("%s: is no directory, and several files go there", target)
		}
	}
	return p.each(names[:len(names)-1], func(from string) error { return f(p.at(from), p.into(from, target)) })
}

func mv(p *process, args []string) error {
	f := p.flags()
	if err := f.Parse(args); err != nil {
		return err
	}
	return p.eachInto(f.Args(), func(from, to string) error {
		err := os.Rename(from, to)
		if !errors.Is(err, syscall.EXDEV) {
			return err
		}
		// To another file system: by a copy.
		c := copier{process: p, progress: io.Discard}
		if err := c.copy(from, to); err != nil {
			return err
		}
		return os.RemoveAll(from)
	})
}
