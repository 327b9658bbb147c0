package fs_test

import (
	"sort"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
)

// lay makes a layout: "d/" is a directory, "a => b" a link with the text b,
// "f: text" a file with contents, anything else an empty file.
func lay(t testing.TB, v *fs.VFS, layout ...string) {
	t.Helper()
	for _, line := range layout {
		var err error
		if name, target, ok := strings.Cut(line, " => "); ok {
			err = v.Symlink(target, fs.Base{}, name)
		} else if name, ok := strings.CutSuffix(line, "/"); ok {
			err = v.Mkdir(fs.Base{}, name, 0o755, 0)
		} else {
			name, text, _ := strings.Cut(line, ": ")
			err = write(v, name, text)
		}
		if err != nil {
			t.Fatalf("making %q: %v", line, err)
		}
	}
}

func write(v *fs.VFS, name, text string) error {
	f, d, err := v.Open(fs.Base{}, name, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_TRUNC, 0o644, 0)
	if err != nil {
		return err
	}
	_, _, err = f.WriteAt([]byte(text), 0)
	f.Release()
	d.Put()
	return err
}

// read is the contents of a file, or the error in brackets.
func read(v *fs.VFS, name string) string {
	f, d, err := v.Open(fs.Base{}, name, syscall.O_RDONLY, 0, 0)
	if err != nil {
		return "[" + err.Error() + "]"
	}
	defer d.Put()
	defer f.Release()
	buf := make([]byte, 1000)
	n, err := f.ReadAt(buf, 0)
	if err != nil {
		return "[" + err.Error() + "]"
	}
	return string(buf[:n])
}

// list is the names in a directory, sorted, without "." and "..".
func list(t testing.TB, v *fs.VFS, name string) string {
	t.Helper()
	f, d, err := v.Open(fs.Base{}, name, syscall.O_RDONLY|syscall.O_DIRECTORY, 0, 0)
	if err != nil {
		t.Fatalf("opening %s: %v", name, err)
	}
	defer d.Put()
	defer f.Release()
	var names []string
	if err := v.ReadDir(d, f, 0, func(e *fs.Dirent) bool {
		if e.Name != "." && e.Name != ".." {
			names = append(names, e.Name)
		}
		return true
	}); err != nil {
		t.Fatalf("reading %s: %v", name, err)
	}
	sort.Strings(names)
	return strings.Join(names, " ")
}

// path is where name leads, or the error in brackets.
func path(v *fs.VFS, b fs.Base, name string, follow bool) string {
	d, err := v.Walk(b, name, follow)
	if err != nil {
		return "[" + err.Error() + "]"
	}
	defer d.Put()
	p, err := v.Path(nil, d)
	if err != nil {
		return "[" + err.Error() + "]"
	}
	return p
}

// dir is the dentry of a directory that lives as long as the test.
func dir(t testing.TB, v *fs.VFS, name string) *fs.Dentry {
	t.Helper()
	d, err := v.Walk(fs.Base{}, name, true)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(d.Put)
	return d
}
