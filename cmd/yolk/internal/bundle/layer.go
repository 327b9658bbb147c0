package bundle

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// entry is a file, directory or symbolic link of a container's file system.
type entry struct {
	name string // absolute
	mode fs.FileMode
	user int
	from string // the file of the host that it is a copy of
	link string // what a symbolic link leads to
}

// layer makes a layer of an OCI image of entries, and of the directories above them. It
// lies in file, a name of the host that is nobody's. The same entries make the same layer:
// there are no times in it.
func layer(entries []entry, file string) (v1.Layer, error) {
	all := map[string]entry{}
	for _, e := range entries {
		if old, ok := all[e.name]; ok && old != e {
			return nil, fmt.Errorf("OCI image: %s is there twice: %s and %s", e.name, old.from, e.from)
		}
		all[e.name] = e
		for dir := path.Dir(e.name); dir != "/"; dir = path.Dir(dir) {
			if _, ok := all[dir]; !ok {
				all[dir] = entry{name: dir, mode: fs.ModeDir | 0o755}
			}
		}
	}
	sorted := make([]entry, 0, len(all))
	for _, e := range all {
		sorted = append(sorted, e)
	}
	slices.SortFunc(sorted, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	if err := write(file, 0o600, func(w io.Writer) error { return writeLayer(w, sorted) }); err != nil {
		return nil, fmt.Errorf("OCI image: %w", err)
	}
	return tarball.LayerFromFile(file)
}

func writeLayer(w io.Writer, entries []entry) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for _, e := range entries {
		if err := writeEntry(t, e); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), z.Close())
}

func writeEntry(t *tar.Writer, e entry) error {
	h := &tar.Header{Name: strings.TrimPrefix(e.name, "/"), Mode: int64(e.mode.Perm()), Uid: e.user, Gid: e.user, Format: tar.FormatPAX}
	if e.mode&fs.ModeSticky != 0 {
		h.Mode |= 0o1000
	}
	switch {
	case e.mode.IsDir():
		h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		return t.WriteHeader(h)
	case e.mode&fs.ModeSymlink != 0:
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, e.link, 0o777
		return t.WriteHeader(h)
	}
	f, err := os.Open(e.from)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h.Typeflag, h.Size = tar.TypeReg, info.Size()
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.Copy(t, f) // a file that changes meanwhile is an error of the writer
	return err
}
