// Package usercache is where everything lies that this user's yolks keep for each
// other: the toolchain, sources, images, and what a run needs while it lasts.
package usercache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Place is a directory in the cache.
type Place struct {
	Path string // it need not exist yet
	what string // that lies there, for errors: "the kernel's sources"
}

// Find returns the place of that name, which is for what. It makes nothing.
func Find(name, what string) (Place, error) {
	cache, err := os.UserCacheDir()
	if err == nil && !filepath.IsAbs(cache) { // which HOME alone can bring about
		err = errors.New("path in $HOME is relative")
	}
	if err != nil {
		return Place{}, fmt.Errorf("no place for %s: %w; set HOME or XDG_CACHE_HOME", what, err)
	}
	return At(filepath.Join(cache, "yolk", name), what), nil
}

// At is the place at path, wherever that is.
func At(path, what string) Place { return Place{path, what} }

// Explain makes an error of work in p one that names what it is about and, if it is the
// place that cannot be used, the place and what to do about it.
func (p Place) Explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%s: %w: free some space where %s is, or set XDG_CACHE_HOME to a directory on another disk", p.what, err, p.Path)
	case p.concerned(err):
		return fmt.Errorf("%s: %w: make %s writable, or set XDG_CACHE_HOME to a directory that is", p.what, err, p.Path)
	}
	return fmt.Errorf("%s: %w", p.what, err)
}

// concerned reports whether err is of a file in p, of p itself or of a directory above it.
func (p Place) concerned(err error) bool {
	var path *fs.PathError
	var link *os.LinkError
	var names []string
	switch {
	case errors.As(err, &path):
		names = []string{path.Path}
	case errors.As(err, &link):
		names = []string{link.Old, link.New}
	}
	for _, name := range names {
		if name == p.Path || within(name, p.Path) || within(p.Path, name) {
			return true
		}
	}
	return false
}

func within(name, dir string) bool {
	return strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}
