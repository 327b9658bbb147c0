package image

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The images of programs are kept so that the go command, which knows from the
// build ID in one whether it is up to date, need not link them again. The kept
// file is never written: a run has a link to it in its own directory, where the
// go command puts a new file in the link's place if there is something to link.
const (
	keptBytes = 512 << 20 // all of them together
	keptTime  = keep
)

// Image builds the program, or takes the image of an earlier run in the
// directory kept if nothing has changed, and opens it. What goes wrong with
// the kept images only costs time.
func (p *Program) Image(ctx context.Context, kept string) (*os.File, error) {
	file := filepath.Join(p.b.Scratch, "image")
	name := p.keptName()
	old := findKept(kept, name)
	if old != "" && p.ws.replaces(p.b.Scratch) {
		_ = os.Link(old, file)
	}
	before, _ := os.Stat(file)
	if err := p.Build(ctx, file); err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if before == nil || !os.SameFile(before, after) {
		keepImage(kept, name, file, after.Size())
	}
	return f, nil
}

// keptName is the name under which the image of a program is kept. Whether it
// is up to date the go command decides; the name only tells apart what would
// push each other out.
func (p *Program) keptName() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %q %v %v %v %v %v\n", p.pkg.Dir, p.args, p.flags, p.b.Toolchain.Root, p.b.Guest, p.b.Profile, p.b.Locks, p.b.Traced, p.b.Staged, p.Disks)
	return fmt.Sprintf("%x", h.Sum(nil)[:12])
}

// findKept returns the kept image of a name, "" if there is none. Its size is
// part of the file's name: one that was cut short by a full disk does not count.
func findKept(dir, name string) string {
	found, _ := filepath.Glob(filepath.Join(dir, name+".*")) // the pattern is well-formed
	for _, file := range found {
		if info, err := os.Stat(file); err == nil && strings.HasSuffix(file, fmt.Sprintf(".%d", info.Size())) {
			return file
		}
	}
	return ""
}

// keepImage puts an image among those that are kept, in place of an older one of the
// same name, and removes the oldest ones that are too many.
func keepImage(dir, name, file string, size int64) {
	if os.MkdirAll(dir, 0o700) != nil {
		return
	}
	dst := filepath.Join(dir, fmt.Sprintf("%s.%d", name, size))
	tmp := fmt.Sprintf("%s.new%d", dst, os.Getpid())
	os.Remove(tmp) // of a killed process with the same number
	if os.Link(file, tmp) != nil {
		return
	}
	err := os.Rename(tmp, dst)
	os.Remove(tmp) // still there if both were one file
	if err != nil {
		return
	}
	older, _ := filepath.Glob(filepath.Join(dir, name+".*"))
	for _, o := range older {
		if o != dst {
			os.Remove(o)
		}
	}
	trim(dir, keptBytes)
}

// trim removes what was not used for long, and the least recently used images
// beyond a number of bytes. The go command notes a use as the file's time.
func trim(dir string, limit int64) {
	entries, _ := os.ReadDir(dir)
	var files []os.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b os.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	total := int64(0)
	for _, f := range files {
		if total += f.Size(); total > limit || time.Since(f.ModTime()) > keptTime {
			os.Remove(filepath.Join(dir, f.Name()))
		}
	}
}
