package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/schollz/progressbar/v3"
)

func cp(p *process, args []string) error {
	f := p.flags()
	recursive := f.BoolP("recursive", "r", false, "")
	f.alias("recursive", "R")
	if err := f.Parse(args); err != nil {
		return err
	}
	c := copier{process: p, progress: io.Discard}
	if p.color && f.NArg() > 1 {
		total := int64(0)
		for _, name := range f.Args()[:f.NArg()-1] {
			n, err := treeSize(p, name)
			if stopped := p.interrupted(); stopped != nil {
				return stopped
			}
			if err == nil { // else the copy says what is wrong
				total += n
			}
		}
		c.bar = newBar(p, total, "copying")
		c.progress = c.bar
	}
	err := p.eachInto(f.Args(), func(from, to string) error {
		info, err := os.Stat(from)
		if err != nil {
			return err
		}
		if info.IsDir() && !*recursive {
			return fmt.Errorf("%s: is a directory: -r copies it", from)
		}
		return c.copyNamed(from, to)
	})
	if c.bar != nil {
		c.bar.Clear()
	}
	return err
}

// copier copies files and directories.
type copier struct {
	*process
	bar      *progressbar.ProgressBar
	progress io.Writer // takes what has been copied
}

// copyNamed copies what a user has named, to where links lead.
func (c *copier) copyNamed(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		if inside(from, to) {
			return fmt.Errorf("%s: cannot be copied into itself, to %s", from, to)
		}
		return c.dir(from, to, info)
	}
	return c.file(from, to, info)
}

// copy copies whatever a name is, links as links.
func (c *copier) copy(from, to string) error {
	if err := c.interrupted(); err != nil {
		return err
	}
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		return c.dir(from, to, info)
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: is a %s, which is not copied", from, fileType(info.Mode()))
	}
	return c.file(from, to, info)
}

func (c *copier) dir(from, to string, info fs.FileInfo) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	// Writable while it is filled.
	made := os.Mkdir(to, info.Mode().Perm()|0o700)
	if made != nil && !errors.Is(made, fs.ErrExist) {
		return made
	}
	for _, e := range entries {
		if err := c.copy(at(from, e.Name()), at(to, e.Name())); err != nil {
			return err
		}
	}
	if made != nil {
		return nil // it was there, with a mode of its own
	}
	return os.Chmod(to, info.Mode().Perm())
}

func (c *copier) file(from, to string, info fs.FileInfo) error {
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
	_, err = io.Copy(io.MultiWriter(out, c.progress), stoppable{p: c.process, r: in})
	return errors.Join(err, out.Close())
}

// treeSize is the number of bytes in a file, or in all files below a directory.
func treeSize(p *process, path string) (total int64, err error) {
	err = p.walk(path, func(_ string, info fs.FileInfo, _ int) error {
		if info.Mode().IsRegular() {
			total += info.Size()
		}
		return nil
	})
	return total, err
}

// inside tells if path is dir or lies in it.
func inside(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}
