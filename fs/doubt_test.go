package fs_test

import (
	"fmt"
	"maps"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
)

// telling is a host whose server tells by itself that a name exists.
type telling struct{ *host }

type tellingNode struct{ *hostNode }

func (h telling) Root() fs.Node { return tellingNode{h.host.Root().(*hostNode)} }

func (tellingNode) MakesUnseen() {}

// hostChange is what the host does in the doubtCases.
type hostChange func(host *fs.VFS) error

func makes(layout ...string) hostChange {
	return func(host *fs.VFS) error {
		for _, line := range layout {
			var err error
			if line[len(line)-1] == '/' {
				err = host.Mkdir(fs.Base{}, line[:len(line)-1], 0o755, 0)
			} else {
				err = write(host, line, "host")
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func removes(names ...string) hostChange {
	return func(host *fs.VFS) error {
		for _, name := range names {
			if host.Unlink(fs.Base{}, name) != nil {
				if err := host.Rmdir(fs.Base{}, name); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

func moves(from, to string) hostChange {
	return func(host *fs.VFS) error { return host.Rename(fs.Base{}, from, fs.Base{}, to, 0) }
}

func all(changes ...hostChange) hostChange {
	return func(host *fs.VFS) error {
		for _, c := range changes {
			if err := c(host); err != nil {
				return err
			}
		}
		return nil
	}
}

// doubtCases: a guest has looked at the names f, g, d, d/e, l => f and at the
// missing none and d/none; then the host changes something.
var doubtCases = []struct {
	name   string
	change hostChange
	do     func(v *fs.VFS) error
	want   error
}{
	{"create exclusively what has gone", removes("f"), create("f", syscall.O_EXCL), nil},
	{"create exclusively what is there", all(), create("f", syscall.O_EXCL), syscall.EEXIST},
	{"create exclusively what has come", makes("none"), create("none", syscall.O_EXCL), syscall.EEXIST},
	{"create exclusively where a directory was", removes("d/e"), create("d/e", syscall.O_EXCL), nil},
	{"create what has come", makes("none"), create("none", 0), nil},
	{"create over what has come, a directory", makes("none/"), create("none", 0), syscall.EISDIR},
	{"create where a directory was", removes("d/e"), create("d/e", 0), nil},
	{"create where a link was", all(removes("l"), makes("l")), create("l", syscall.O_NOFOLLOW), nil},
	{"create by way of a link that has gone", removes("l"), create("l", syscall.O_NOFOLLOW), nil},
	{"create in a directory that has come", makes("none/"), create("none/x", 0), nil},
	{"create in a directory that has been replaced", all(moves("d", "old"), removes("old/e", "old"), makes("d/")), create("d/x", 0), nil},
	{"create in a directory that was a file", all(removes("f"), makes("f/")), create("f/x", 0), nil},
	{"mkdir where a file was", removes("f"), mkdir("f"), nil},
	{"mkdir with a slash where a file was", removes("f"), mkdir("f/"), nil},
	{"mkdir over what is there", all(), mkdir("d"), syscall.EEXIST},
	{"mkdir over what has come", makes("none"), mkdir("none"), syscall.EEXIST},
	{"mkdir in what has come", makes("none/"), mkdir("none/x"), nil},
	{"mknod where a file was", removes("f"), mknod("f"), nil},
	{"mknod over what is there", all(), mknod("f"), syscall.EEXIST},
	{"symlink where a file was", removes("f"), symlink("f"), nil},
	{"symlink over what is there", all(), symlink("f"), syscall.EEXIST},
	{"link to where a file was", removes("f"), link("g", "f"), nil},
	{"link to what is there", all(), link("g", "f"), syscall.EEXIST},
	{"link to what has come", makes("none"), link("g", "none"), syscall.EEXIST},
	{"link of what has come", makes("none"), link("none", "x"), nil},
	{"link of what has been replaced", all(removes("f"), makes("f")), link("f", "x"), nil},
	{"link of what was a directory", all(removes("d/e"), makes("d/e")), link("d/e", "x"), nil},
	{"link of what has gone", removes("f"), link("f", "x"), syscall.ENOENT},
	{"unlink what has come", makes("none"), unlink("none"), nil},
	{"unlink what has gone", removes("f"), unlink("f"), syscall.ENOENT},
	{"unlink what was a directory", all(removes("d/e"), makes("d/e")), unlink("d/e"), nil},
	{"unlink what is a directory", all(), unlink("d/e"), syscall.EISDIR},
	{"unlink what has become a directory", all(removes("f"), makes("f/")), unlink("f"), syscall.EISDIR},
	{"unlink in what has been replaced", all(moves("d", "old"), makes("d/", "d/none")), unlink("d/none"), nil},
	{"rmdir of what has come", makes("none/"), rmdir("none"), nil},
	{"rmdir of what was a file", all(removes("f"), makes("f/")), rmdir("f"), nil},
	{"rmdir of what is a file", all(), rmdir("f"), syscall.ENOTDIR},
	{"rmdir of what has gone", removes("d/e"), rmdir("d/e"), syscall.ENOENT},
	{"rename what has come", makes("none"), rename("none", "x", 0), nil},
	{"rename what has gone", removes("f"), rename("f", "x", 0), syscall.ENOENT},
	{"rename to itself what has gone", removes("f"), rename("f", "f", 0), syscall.ENOENT},
	{"rename to where a directory was", all(removes("d/e"), makes("d/e")), rename("f", "d/e", 0), nil},
	{"rename a directory to where a file was", removes("f"), rename("d/e", "f", 0), nil},
	{"rename into what has come", makes("none/"), rename("f", "none/f", 0), nil},
	{"rename a second name over the first, which is another file now", all(removes("g2"), makes("g2")), rename("g", "g2", 0), nil},
	{"rename to where a file was, without replacing", removes("f"), rename("g", "f", fs.RenameNoReplace), nil},
	{"rename over what is there, without replacing", all(), rename("g", "f", fs.RenameNoReplace), syscall.EEXIST},
	{"rename over what has come, without replacing", makes("none"), rename("g", "none", fs.RenameNoReplace), syscall.EEXIST},
	{"exchange with what has come", makes("none"), rename("g", "none", fs.RenameExchange), nil},
	{"exchange with what has gone", removes("f"), rename("g", "f", fs.RenameExchange), syscall.ENOENT},
}

func create(name string, flags int) func(*fs.VFS) error {
	return func(v *fs.VFS) error {
		f, d, err := v.Open(fs.Base{}, name, syscall.O_WRONLY|syscall.O_CREAT|flags, 0o644, 0)
		if err == nil {
			f.Release()
			d.Put()
		}
		return err
	}
}

func mkdir(name string) func(*fs.VFS) error {
	return func(v *fs.VFS) error { return v.Mkdir(fs.Base{}, name, 0o755, 0) }
}

func mknod(name string) func(*fs.VFS) error {
	return func(v *fs.VFS) error { return v.Mknod(fs.Base{}, name, syscall.S_IFREG|0o644, 0, 0) }
}

func symlink(name string) func(*fs.VFS) error {
	return func(v *fs.VFS) error { return v.Symlink("text", fs.Base{}, name) }
}

func link(old, name string) func(*fs.VFS) error {
	return func(v *fs.VFS) error { return v.Link(fs.Base{}, old, fs.Base{}, name, false) }
}

func unlink(name string) func(*fs.VFS) error {
	return func(v *fs.VFS) error { return v.Unlink(fs.Base{}, name) }
}

func rmdir(name string) func(*fs.VFS) error {
	return func(v *fs.VFS) error { return v.Rmdir(fs.Base{}, name) }
}

func rename(old, name string, flags uint32) func(*fs.VFS) error {
	return func(v *fs.VFS) error { return v.Rename(fs.Base{}, old, fs.Base{}, name, flags) }
}

// TestDoubt: what makes, removes or moves a name does not fail, nor seem to have
// been done, for what is remembered only: it ends as it does on the host.
func TestDoubt(t *testing.T) {
	for _, c := range doubtCases {
		for _, tells := range []bool{false, true} {
			h, twin := newHost(time.Hour), newHost(time.Hour)
			layout := []string{"d/", "d/e/", "f: text", "g: text", "l => f"}
			h.at(t, layout...)
			twin.at(t, layout...)
			var v *fs.VFS
			if tells {
				v = fs.New(telling{h}, fs.MountOptions{})
			} else {
				v = fs.New(h, fs.MountOptions{})
			}
			host, straight := fs.New(h.FileSystem, fs.MountOptions{}), fs.New(twin.FileSystem, fs.MountOptions{})
			for _, s := range []*fs.VFS{host, straight} {
				if err := link("g", "g2")(s); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range []string{"f", "g", "g2", "d", "d/e", "l", "none", "d/none"} {
				v.Stat(fs.Base{}, name, false, new(fs.Attr))
			}
			for _, s := range []*fs.VFS{host, straight} {
				if err := c.change(s); err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
			}
			if err := c.do(straight); err != c.want {
				t.Errorf("%s: %v on the host, want %v", c.name, err, c.want)
			}
			if err := c.do(v); err != c.want {
				t.Errorf("%s (server tells: %v): %v, want %v", c.name, tells, err, c.want)
			}
			if got, want := listing(t, host, "/"), listing(t, straight, "/"); got != want {
				t.Errorf("%s (server tells: %v): the host has\n%swant\n%s", c.name, tells, got, want)
			}
		}
	}
}

// listing is all that v has below a directory, with types.
func listing(t *testing.T, v *fs.VFS, path string) (text string) {
	t.Helper()
	f, d, err := v.Open(fs.Base{}, path, syscall.O_RDONLY, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Put()
	defer f.Release()
	names := map[string]uint8{}
	if err := v.ReadDir(d, f, 0, func(e *fs.Dirent) bool { names[e.Name] = e.Type; return true }); err != nil {
		t.Fatal(err)
	}
	delete(names, ".")
	delete(names, "..")
	for _, name := range slices.Sorted(maps.Keys(names)) {
		text += fmt.Sprintf("%s%s %d\n", path, name, names[name])
		if names[name] == syscall.DT_DIR {
			text += listing(t, v, path+name+"/")
		}
	}
	return text
}
