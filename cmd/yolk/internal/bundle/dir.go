// Package bundle writes directories with all that an image needs where it runs.
package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/cmd/yolk/internal/manifest"
	"github.com/yolkos/yolk/cmd/yolk/internal/scratch"
)

// Dir is a bundle that is being written, under a name of its own.
type Dir struct {
	Path string
	name string // that it is to have
	temp *scratch.Dir
}

// Create begins a bundle that is to be called name. What has that name already is not
// touched, and an error, unless it is an empty directory.
func Create(name string) (*Dir, error) {
	if err := Vacant(name); err != nil {
		return nil, err
	}
	name, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	parent := filepath.Dir(name)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return nil, err
	}
	temp, err := scratch.Beside(name)
	if err != nil {
		return nil, err
	}
	d := &Dir{filepath.Join(temp.Path, "bundle"), name, temp}
	if err := errors.Join(os.Mkdir(d.Path, 0o755), os.Chmod(d.Path, 0o755)); err != nil {
		temp.Remove()
		return nil, err
	}
	return d, nil
}

// Vacant reports what is wrong with a name for a new directory.
func Vacant(name string) error {
	list, err := os.ReadDir(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("bundle: %w", err)
	case len(list) > 0:
		return fmt.Errorf("bundle: %s is there already, and is not empty: remove it, or choose another name with -o", name)
	}
	return nil
}

// Done gives the bundle its name.
func (d *Dir) Done() error {
	// os.Rename replaces no directory; rename(2) does if it is empty.
	if err := unix.Rename(d.Path, d.name); err != nil {
		return fmt.Errorf("bundle: %s: %w", d.name, err)
	}
	d.Path = d.name
	return nil
}

// Remove removes what there is of a bundle that is not done, and of one that is the place
// where it was made.
func (d *Dir) Remove() { d.temp.Remove() }

// Write writes files of the bundle.
func (d *Dir) Write(list []manifest.File) error {
	for _, f := range list {
		name := filepath.Join(d.Path, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := write(name, f.Mode, func(w io.Writer) error {
			_, err := w.Write(f.Data)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// Copy copies a file of the host into the bundle.
func (d *Dir) Copy(name, from string, mode fs.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return write(filepath.Join(d.Path, name), mode, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}

// write makes a file with a mode, whatever the user's mask.
func write(name string, mode fs.FileMode, body func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	err = body(f)
	return errors.Join(err, f.Chmod(mode), f.Close())
}
