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

func cd(_ *shell, args []string) error {
	switch len(args) {
	case 0:
		return os.Chdir("/")
	case 1:
		return os.Chdir(args[0])
	}
	return usageError("one directory at most")
}

func pwd(s *shell, _ []string) error {
	dir, err := os.Getwd()
	if err == nil {
		s.printf("%s\n", dir)
	}
	return err
}

func write(_ *shell, args []string) error {
	if len(args) == 0 {
		return usageError("no file")
	}
	return os.WriteFile(args[0], []byte(strings.Join(args[1:], " ")+"\n"), 0o666)
}

func touch(s *shell, args []string) error {
	if len(args) == 0 {
		return usageError("no file")
	}
	return s.each(args, func(name string) error {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		switch {
		case err == nil:
			return f.Close()
		case errors.Is(err, fs.ErrExist):
			now := time.Now()
			return os.Chtimes(name, now, now)
		}
		return err
	})
}

func mkdir(s *shell, args []string) error {
	set, names, err := options(args, "p")
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return usageError("no directory")
	}
	return s.each(names, func(name string) error {
		if has(set, 'p') {
			return os.MkdirAll(name, 0o777)
		}
		return os.Mkdir(name, 0o777)
	})
}

func rm(s *shell, args []string) error {
	set, names, err := options(args, "rf")
	if err != nil {
		return err
	}
	if len(names) == 0 && !has(set, 'f') {
		return usageError("no file")
	}
	return s.each(names, func(name string) error {
		if base := filepath.Base(name); base == "/" || base == "." || base == ".." {
			return fmt.Errorf("%s: not removed, as nobody means that", name)
		}
		info, err := os.Lstat(name)
		switch {
		case has(set, 'f') && errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !info.IsDir():
			return os.Remove(name)
		case has(set, 'r'):
			return os.RemoveAll(name)
		}
		return fmt.Errorf("%s: is a directory: -r removes it with all that is in it", name)
	})
}

func ln(_ *shell, args []string) error {
	set, names, err := options(args, "s")
	if err != nil {
		return err
	}
	if len(names) != 2 {
		return usageError("a target and a name")
	}
	to := into(names[0], names[1])
	if has(set, 's') {
		return os.Symlink(names[0], to)
	}
	return os.Link(names[0], to)
}

// into is where a file goes: to a name, or into the directory that has it.
func into(from, to string) string {
	if info, err := os.Stat(to); err == nil && info.IsDir() {
		return filepath.Join(to, filepath.Base(from))
	}
	return to
}

// eachInto calls f for each file but the last name, which is where they go.
func (s *shell) eachInto(names []string, f func(from, to string) error) error {
	if len(names) < 2 {
		return usageError("from where to where?")
	}
	target := names[len(names)-1]
	if len(names) > 2 {
		if info, err := os.Stat(target); err != nil {
			return err
		} else if !info.IsDir() {
			return fmt.Errorf("%s: is no directory, and several files go there", target)
		}
	}
	return s.each(names[:len(names)-1], func(from string) error { return f(from, into(from, target)) })
}

func cp(s *shell, args []string) error {
	set, names, err := options(args, "r")
	if err != nil {
		return err
	}
	return s.eachInto(names, func(from, to string) error { return s.copyTree(from, to, has(set, 'r')) })
}

// copyTree copies a file, or a directory if that is wanted.
func (s *shell) copyTree(from, to string, dirs bool) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		if !dirs {
			return fmt.Errorf("%s: is a directory: -r copies it", from)
		}
		if inside(from, to) {
			return fmt.Errorf("%s: cannot be copied into itself, to %s", from, to)
		}
		return os.CopyFS(to, stoppableFS{s, os.DirFS(from)})
	}
	if old, err := os.Stat(to); err == nil && os.SameFile(info, old) {
		return fmt.Errorf("%s and %s are one file", from, to)
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, stoppable{s: s, r: in})
	return errors.Join(err, out.Close())
}

// inside tells if path is dir or lies in it.
func inside(dir, path string) bool {
	a, err1 := filepath.Abs(dir)
	b, err2 := filepath.Abs(path)
	rel, err3 := filepath.Rel(a, b)
	return err1 == nil && err2 == nil && err3 == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

func mv(s *shell, args []string) error {
	_, names, err := options(args, "")
	if err != nil {
		return err
	}
	return s.eachInto(names, func(from, to string) error {
		err := os.Rename(from, to)
		if !errors.Is(err, syscall.EXDEV) {
			return err
		}
		// To another file system: by a copy.
		if info, err := os.Lstat(from); err != nil {
			return err
		} else if info.Mode()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(from)
			if err == nil {
				err = os.Symlink(target, to)
			}
			if err != nil {
				return err
			}
			return os.Remove(from)
		}
		if err := s.copyTree(from, to, true); err != nil {
			return err
		}
		return os.RemoveAll(from)
	})
}
