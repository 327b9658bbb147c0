package bundle

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/yolkos/yolk/cmd/yolk/internal/image"
)

// CopyRoot copies what is to be the guest's root into the bundle's directory root: files,
// directories and symbolic links, with their permission bits. Sources that meet at a path are
// merged, and a later one goes before an earlier one.
func (d *Dir) CopyRoot(sources []image.Source) error {
	root := filepath.Join(d.Path, "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	for _, s := range sources {
		to := filepath.Join(root, s.Path)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		host, err := filepath.EvalSymlinks(s.Host) // a link that is named is what it leads to
		if err != nil {
			return fmt.Errorf("--root: %w", err)
		}
		if err := filepath.WalkDir(host, func(name string, f fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(host, name)
			if err != nil {
				return err
			}
			info, err := os.Lstat(name)
			if err != nil {
				return err
			}
			if os.SameFile(info, lstat(d.temp.Path)) {
				return fs.SkipDir // the bundle itself
			}
			return d.copyOne(name, filepath.Join(to, rel), info)
		}); err != nil {
			return fmt.Errorf("--root %s: %w", s.Host, err)
		}
	}
	return nil
}

func lstat(name string) fs.FileInfo {
	info, _ := os.Lstat(name) // nil is the same as nothing
	return info
}

// copyOne copies one file, or makes a directory.
func (d *Dir) copyOne(from, to string, info fs.FileInfo) error {
	old := lstat(to)
	if old != nil && !(old.IsDir() && info.IsDir()) {
		if err := os.Remove(to); err != nil { // a directory with something in it is not replaced
			return err
		}
		old = nil
	}
	switch info.Mode().Type() {
	case fs.ModeDir:
		if old == nil {
			if err := os.Mkdir(to, 0o755); err != nil {
				return err
			}
		}
		return os.Chmod(to, info.Mode().Perm()|0o700) // of the owner, who goes on here
	case fs.ModeSymlink:
		link, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(link, to)
	case 0:
		rel, err := filepath.Rel(d.Path, to)
		if err != nil {
			return err
		}
		return d.Copy(rel, from, info.Mode().Perm())
	}
	return fmt.Errorf("%s: %v: only files, directories and symbolic links can be copied", from, info.Mode())
}
