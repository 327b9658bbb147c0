package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/cmd/yolk/internal/image"
	"github.com/yolkos/yolk/cmd/yolk/internal/manifest"
)

// TestDir: there is a bundle when it is done, and before that nothing of that name; what has
// the name is kept.
func TestDir(t *testing.T) {
	parent := t.TempDir()
	name := filepath.Join(parent, "a", "out")
	d, err := Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Write([]manifest.File{{Name: "x/start", Mode: 0o755, Data: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(name); err == nil {
		t.Error("it has its name before it is done")
	}
	d.Remove()
	if list, err := os.ReadDir(filepath.Dir(name)); err != nil || len(list) > 0 {
		t.Errorf("left: %v, %v", list, err)
	}
	if err := os.Mkdir(name, 0o700); err != nil { // empty: it can be replaced
		t.Fatal(err)
	}
	if d, err = Create(name); err != nil {
		t.Fatal(err)
	}
	if err := d.Write([]manifest.File{{Name: "start", Mode: 0o755, Data: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	if err := d.Done(); err != nil {
		t.Fatal(err)
	}
	d.Remove()
	if info, err := os.Stat(name + "/start"); err != nil || info.Mode() != 0o755 {
		t.Errorf("%v, %v", info, err)
	}
	for _, taken := range []string{name, name + "/start"} {
		if d, err := Create(taken); err == nil {
			d.Remove()
			t.Errorf("%s was taken", taken)
		}
	}
	// Somebody else takes the name meanwhile.
	second := filepath.Join(parent, "second")
	if d, err = Create(second); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(second+"/theirs", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.Done(); err == nil {
		t.Error("what somebody else made was replaced")
	}
	d.Remove()
	if list, _ := os.ReadDir(parent); len(list) != 2 {
		t.Errorf("left: %v", list)
	}
}

// TestLayer: a layer has what it was made of, each directory once and before what is in it,
// and nothing of where and when it was made.
func TestLayer(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "file")
	if err := os.WriteFile(from, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	entries := []entry{
		{name: "/usr/bin/x", mode: 0o755, from: from},
		{name: "/a/b/c", mode: 0o644, from: from},
		{name: "/a/b/c", mode: 0o644, from: from}, // as it is
		{name: "/a/link", mode: fs.ModeSymlink | 0o777, link: "b/c"},
		{name: "/volumes/data", mode: fs.ModeDir | 0o755, user: user},
		{name: "/tmp", mode: fs.ModeDir | fs.ModeSticky | 0o777},
	}
	var made [][]byte
	for _, name := range []string{"one", "two"} {
		file := filepath.Join(dir, name)
		if _, err := layer(entries, file); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, data)
		slices.Reverse(entries)
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("two layers of the same are not the same")
	}
	z, err := gzip.NewReader(bytes.NewReader(made[0]))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, h.Name)
		if h.ModTime.Unix() > 0 || h.Uname != "" {
			t.Errorf("%+v", h)
		}
		if want := map[string]int{"volumes/data/": user}[h.Name]; h.Uid != want || h.Gid != want {
			t.Errorf("%s belongs to %d:%d", h.Name, h.Uid, h.Gid)
		}
		if want := map[string]int64{"tmp/": 0o1777, "a/b/c": 0o644, "usr/bin/x": 0o755}[h.Name]; want != 0 && h.Mode != want {
			t.Errorf("%s has mode %o", h.Name, h.Mode)
		}
	}
	if got, want := strings.Join(list, " "), "a/ a/b/ a/b/c a/link tmp/ usr/ usr/bin/ usr/bin/x volumes/ volumes/data/"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	entries = append(entries, entry{name: "/a/b/c", mode: 0o644, from: "/elsewhere"})
	if _, err := layer(entries, filepath.Join(dir, "three")); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("two files of one name: %v", err)
	}
}

// TestLibraries reads what the loaders of glibc and musl list.
func TestLibraries(t *testing.T) {
	got, err := libraries("\tlinux-vdso.so.1 (0x00007ffd)\n\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f)\n" +
		"\tlibpulsecommon-16.1.so => /usr/lib/../lib/pulseaudio/libpulsecommon-16.1.so (0x0)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n")
	if want := []string{"/lib/x86_64-linux-gnu/libz.so.1", "/usr/lib/pulseaudio/libpulsecommon-16.1.so", "/lib64/ld-linux-x86-64.so.2"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	got, err = libraries("\t/lib/ld-musl-x86_64.so.1 (0x7f)\n\tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f)\n")
	if err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err = libraries("\tlibnone.so => not found\n"); err == nil || !strings.Contains(err.Error(), "libnone.so: not found") {
		t.Errorf("a library that is missing: %v", err)
	}
}

// TestModules: a module that was replaced is the one that replaces it, the kernel's copies
// are named as what they are copies of, and those without a version have none.
func TestModules(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.4", Main: debug.Module{Path: "example.com/x", Version: "(devel)"}, Deps: []*debug.Module{
		{Path: "example.com/y", Version: "v1.0.0+incompatible", Sum: "h1:y"},
		{Path: "example.com/z", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/fork", Version: "v1.0.1", Sum: "h1:z"}},
		{Path: image.ThirdPartyPath, Version: "(devel)"},
	}}
	var got []string
	for _, c := range *modules(info, "yolk", []image.Module{{Path: "gvisor.dev/gvisor", Version: "v0.0.1", Sum: "h1:g"}}).Components {
		sum := ""
		if c.Properties != nil {
			sum = (*c.Properties)[0].Value
		}
		got = append(got, c.PackageURL+" "+sum)
	}
	want := []string{
		"pkg:golang/std@1.26.4 ", "pkg:golang/example.com/y@v1.0.0%2Bincompatible h1:y", "pkg:golang/example.com/fork@v1.0.1 h1:z", "pkg:golang/gvisor.dev/gvisor@v0.0.1 h1:g",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, m := range image.ThirdParty() {
		if m.Version == "" || !strings.HasPrefix(m.Sum, "h1:") {
			t.Errorf("%+v", m)
		}
	}
}

// TestCopyRoot: files, directories and links of several sources, merged; a bundle that lies in
// its own root is not in it.
func TestCopyRoot(t *testing.T) {
	src := t.TempDir()
	for name, text := range map[string]string{"a/x": "old", "a/dir/y": "y", "b/x": "new", "b/dir/z": "z"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(src, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(src, name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{os.Symlink("dir/y", src+"/a/link"), os.Symlink("a", src+"/to-a"), os.Chmod(src+"/a/dir", 0o500)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	defer os.Chmod(src+"/a/dir", 0o700)
	d, err := Create(src + "/b/out")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.CopyRoot([]image.Source{{Host: src + "/to-a", Path: "/"}, {Host: src + "/b", Path: "/"}, {Host: src + "/a/x", Path: "/etc/conf"}}); err != nil {
		t.Fatal(err)
	}
	var got []string
	root := filepath.Join(d.Path, "root")
	err = filepath.WalkDir(root, func(name string, f fs.DirEntry, err error) error {
		if strings.HasPrefix(f.Name(), ".") {
			t.Errorf("%s: of the bundle itself", name)
		}
		if err != nil || f.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		info, _ := f.Info()
		got = append(got, strings.TrimPrefix(name, root)+" "+info.Mode().Type().String()+string(data))
		return err
	})
	if want := []string{"/dir/y ----------y", "/dir/z ----------z", "/etc/conf ----------old", "/link L---------y", "/x ----------new"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %q, want %q", err, got, want)
	}
	d.Remove()
	if err := syscall.Mkfifo(src+"/b/pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	if d, err = Create(src + "/out"); err != nil {
		t.Fatal(err)
	}
	defer d.Remove()
	if err := d.CopyRoot([]image.Source{{Host: src + "/b", Path: "/"}}); err == nil || !strings.Contains(err.Error(), "pipe") {
		t.Errorf("a FIFO: %v", err)
	}
}
