package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const manifest = "MANIFEST.sha256"

func (t *tour) path(name string) string { return filepath.Join(t.root, filepath.FromSlash(name)) }

// manifest reads the list of the files in the sample directory.
func (t *tour) manifest() (map[string]string, error) {
	f, err := os.Open(t.path(manifest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (the tour wants cmd/demo/root as the root)", err)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := readManifest(f)
	sums := make(map[string]string)
	for _, l := range list {
		sums[l.name] = l.sum
	}
	return sums, err
}

func (t *tour) readFile() error {
	const name = "usr/share/poems/riddle.txt"
	sums, err := t.manifest()
	if err != nil {
		return err
	}
	data, err := os.ReadFile(t.path(name))
	if err != nil {
		return err
	}
	t.printf("%s, %d bytes:\n%s", t.path(name), len(data), data)
	sum, err := checksum(bytes.NewReader(data))
	if err != nil {
		return err
	}
	t.printf("sha256 %s\n", sum)
	if sum != sums[name] {
		return fmt.Errorf("the manifest has %q", sums[name])
	}
	return nil
}

func (t *tour) walk() error {
	sums, err := t.manifest()
	if err != nil {
		return err
	}
	var dirs, files, links int
	var total int64
	var found []string
	own := []string{t.path("tmp"), t.path("proc"), t.path("dev")}
	err = filepath.WalkDir(t.root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case slices.Contains(own, path):
			return fs.SkipDir // the kernel's
		case d.IsDir():
			dirs++
		case d.Type()&fs.ModeSymlink != 0:
			links++
		case path != t.path(manifest):
			files++
			name, _ := filepath.Rel(t.root, path)
			found = append(found, filepath.ToSlash(name))
			n, err := t.compare(path, sums[filepath.ToSlash(name)])
			total += n
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.printf("%d directories, %d links, %d files with %d bytes, all as in the manifest\n", dirs, links, files, total)
	for name := range sums {
		if !slices.Contains(found, name) {
			return fmt.Errorf("%s is in the manifest only", name)
		}
	}
	return nil
}

// compare checks a file's length and checksum.
func (t *tour) compare(path, want string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	if int64(len(data)) != info.Size() {
		return 0, fmt.Errorf("%s: %d bytes read of %d", path, len(data), info.Size())
	}
	if sum, err := checksum(bytes.NewReader(data)); err != nil || sum != want {
		return 0, fmt.Errorf("%s: SHA-256 %s, the manifest has %q", path, sum, want)
	}
	return info.Size(), nil
}

func (t *tour) links() error {
	for _, l := range []struct{ link, file string }{
		{"bin/hello", "usr/bin/hello"},
		{"links/relative", "usr/share/poems/riddle.txt"},
		{"links/absolute", "etc/motd"},
	} {
		a, err := os.Stat(t.path(l.link))
		if err != nil {
			return err
		}
		b, err := os.Stat(t.path(l.file))
		if err != nil {
			return err
		}
		if !os.SameFile(a, b) {
			return fmt.Errorf("%s and %s are not one file", t.path(l.link), t.path(l.file))
		}
		t.printf("%s is %s\n", t.path(l.link), t.path(l.file))
	}
	target, err := os.Readlink(t.path("links/ping"))
	if err != nil {
		return err
	}
	_, err = os.Stat(t.path("links/ping"))
	t.printf("links/ping -> %s -> ping: %v\n", target, err)
	if !errors.Is(err, syscall.ELOOP) {
		return errors.New("that should be ELOOP")
	}
	_, err = os.Stat(t.path("links/dangling"))
	t.printf("links/dangling: %v\n", err)
	if !errors.Is(err, fs.ErrNotExist) {
		return errors.New("that should be ENOENT")
	}
	return nil
}

func (t *tour) noWayOut() error {
	for _, p := range []struct{ path, same string }{
		{"/..", "/"},
		{"/../../../..", "/"},
		{"/usr/../../usr/bin/../../../etc", "/etc"},
		{"/links/above-the-root", "/etc/motd"},
	} {
		a, err := os.Stat(p.path)
		if err != nil {
			return err
		}
		b, err := os.Stat(p.same)
		if err != nil {
			return err
		}
		if !os.SameFile(a, b) {
			return fmt.Errorf("%s is not %s", p.path, p.same)
		}
		t.printf("%s is %s\n", p.path, p.same)
	}
	root, err := os.OpenRoot(t.path("usr"))
	if err != nil {
		return err
	}
	defer root.Close()
	_, err = root.Open("../etc/motd")
	t.printf("os.OpenRoot: %v\n", err)
	if err == nil {
		return errors.New("os.Root let .. pass")
	}
	return nil
}

func (t *tour) serve() error {
	const name = "etc/motd"
	want, err := os.ReadFile(t.path(name))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.FileServer(http.Dir(t.root)), ReadHeaderTimeout: time.Minute}
	go server.Serve(l)
	defer server.Close()
	client := &http.Client{Timeout: time.Minute}
	for _, path := range []string{name, "no/such/file"} {
		url := "http://" + l.Addr().String() + "/" + path
		resp, err := client.Get(url)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return err
		}
		t.printf("GET %s: %s, %s, %d bytes\n", url, resp.Status, resp.Header.Get("Content-Type"), len(body))
		switch {
		case path == name && !bytes.Equal(body, want):
			return fmt.Errorf("the body is not that of %s", t.path(name))
		case path != name && resp.StatusCode != http.StatusNotFound:
			return errors.New("the status should be 404")
		}
	}
	return nil
}

func (t *tour) writing() error {
	dir, err := os.MkdirTemp(t.tmp, "tour-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	text := strings.Repeat("All the king's horses and all the king's men\n", 1000)
	name, other := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		return err
	}
	if err := os.Rename(name, other); err != nil {
		return err
	}
	data, err := os.ReadFile(other)
	if err != nil {
		return err
	}
	t.printf("%s: %d bytes written as a and read as b\n", dir, len(data))
	if string(data) != text {
		return errors.New("they are not the same")
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if _, err = os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removed, and yet: %v", err)
	}
	// The host's sample has a file here, which the guest must not see.
	if _, err := os.Stat(filepath.Join(t.tmp, "hidden.txt")); err == nil {
		return errors.New("the host's tmp shows through")
	}
	return nil
}

func (t *tour) failures() error {
	dir, err := os.MkdirTemp(t.tmp, "tour-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	full := filepath.Join(dir, "full")
	if err := os.MkdirAll(filepath.Join(full, "inner"), 0o755); err != nil {
		return err
	}
	for _, f := range []struct {
		about string
		run   func() error
		want  error
	}{
		{"a missing file", func() error { _, err := os.ReadFile(t.path("no/such/file")); return err }, fs.ErrNotExist},
		{"a directory that exists", func() error { return os.Mkdir(full, 0o755) }, fs.ErrExist},
		{"a file as a directory", func() error { _, err := os.Stat(t.path("etc/motd/x")); return err }, syscall.ENOTDIR},
		{"a directory as a file", func() error { _, err := os.ReadFile(t.path("etc")); return err }, syscall.EISDIR},
		{"removing a full directory", func() error { return syscall.Rmdir(full) }, syscall.ENOTEMPTY},
		{"a name of 300 bytes", func() error { _, err := os.Stat(t.path(strings.Repeat("x", 300))); return err }, syscall.ENAMETOOLONG},
	} {
		err := f.run()
		t.printf("%s: %s\n", f.about, shorten(err))
		if !errors.Is(err, f.want) {
			return fmt.Errorf("%s should be: %v", f.about, f.want)
		}
	}
	return nil
}

// shorten cuts an error with a long name in it.
func shorten(err error) string {
	s := fmt.Sprint(err)
	if len(s) > 72 {
		s = s[:30] + "..." + s[len(s)-36:]
	}
	return s
}
