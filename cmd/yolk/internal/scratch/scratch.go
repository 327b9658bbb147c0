// Package scratch gives a process a private directory that does not outlive
// it for long: what a killed process leaves, the next one removes.
package scratch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/toolchain/usercache"
)

// Dir is a private directory. The lock beside it, or on it, tells that its owner lives.
type Dir struct {
	Path string
	lock *os.File
}

// New makes a directory below the user's cache, and removes those of
// processes that have died. It is not in /tmp because the guest of a test sees
// the host's directories, but has a /tmp of its own.
func New() (*Dir, error) {
	place, err := usercache.Find("tmp", "temporary files")
	if err != nil {
		return nil, err
	}
	d, err := in(place.Path)
	return d, place.Explain(err)
}

func in(base string) (*Dir, error) {
	if err := os.MkdirAll(base, 0o700); err != nil {
		return nil, err
	}
	sweep(base)
	for {
		lock, err := os.CreateTemp(base, "run-*.lock")
		if err != nil {
			return nil, err
		}
		d := &Dir{Path: strings.TrimSuffix(lock.Name(), ".lock"), lock: lock}
		taken, err := hold(lock)
		if err == nil && taken {
			err = os.Mkdir(d.Path, 0o700)
		}
		if err != nil || taken {
			if err != nil {
				d.Remove()
			}
			return d, err
		}
		lock.Close() // a sweep was faster: try another name
	}
}

// hold locks a lock file and reports whether it still has its name.
func hold(lock *os.File) (bool, error) {
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return false, nil
		}
		return false, err
	}
	mine, err := lock.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(lock.Name())
	return err == nil && os.SameFile(mine, named), nil
}

// Remove removes the directory with all that it holds.
func (d *Dir) Remove() {
	// What cannot be removed now, the next sweep tries again.
	if os.RemoveAll(d.Path) == nil && d.lock.Name() != d.Path {
		os.Remove(d.lock.Name())
	}
	d.lock.Close()
}

// sweep removes the directories whose owners have died.
func sweep(base string) {
	locks, _ := filepath.Glob(filepath.Join(base, "run-*.lock")) // the pattern is well-formed
	for _, name := range locks {
		lock, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		d := &Dir{Path: strings.TrimSuffix(name, ".lock"), lock: lock}
		if mine, err := hold(lock); err == nil && mine {
			d.Remove()
		} else {
			lock.Close()
		}
	}
}
