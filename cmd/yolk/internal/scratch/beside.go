package scratch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// besideMark is in the names of directories that Beside makes.
const besideMark = ".yolk-"

// Beside makes a private directory in the one that name is in, for what is going to be
// renamed to name when all of it is there, and removes those for the same name that killed
// processes have left. The lock is on the directory itself: it is to leave nothing else
// among the user's files. Where a file system has no such locks nothing is removed.
func Beside(name string) (*Dir, error) {
	Sweep(name)
	parent, prefix := besideName(name)
	for {
		path, err := os.MkdirTemp(parent, prefix)
		if err != nil {
			return nil, err
		}
		lock, err := openDir(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a sweep was faster: try another name
		}
		if err != nil {
			return nil, errors.Join(err, os.Remove(path))
		}
		d := &Dir{Path: path, lock: lock}
		if taken, err := hold(lock); err == nil && !taken {
			lock.Close()
			continue
		}
		return d, nil // without a lock where there are none
	}
}

// openDir opens a directory, and nothing that a link leads to.
func openDir(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
}

// besideName is where such directories are, and what their names begin with; a number
// follows.
func besideName(name string) (parent, prefix string) {
	return filepath.Dir(name), "." + filepath.Base(name) + besideMark
}

// Sweep removes the directories that killed processes have left beside name.
func Sweep(name string) {
	parent, prefix := besideName(name)
	entries, _ := os.ReadDir(parent) // what cannot be listed is not removed
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), prefix)
		if !ok || !e.IsDir() || number == "" || strings.Trim(number, "0123456789") != "" {
			continue
		}
		path := filepath.Join(parent, e.Name())
		lock, err := openDir(path)
		if err != nil {
			continue
		}
		if mine, err := hold(lock); err == nil && mine {
			os.RemoveAll(path)
		}
		lock.Close()
	}
}
