package fs_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
)

func config(shares ...fs.Share) fs.RootConfig {
	return fs.RootConfig{
		Shares: shares,
		Own:    []fs.Own{{Name: "tmp", FS: mem()}, {Name: "proc", FS: mem()}, {Name: "dev", FS: mem()}},
		Empty:  func() fs.FileSystem { return mem() },
	}
}

func TestRootOnHost(t *testing.T) {
	for _, tag := range []string{"/", "root"} {
		h := newHost(time.Millisecond)
		h.at(t, "usr/", "usr/bin/", "usr/bin/go: tool", "bin => usr/bin", "etc/", "README: top", "tmp/", "tmp/hosts", "dev")
		v, notes, problems := fs.NewRoot(config(fs.Share{Tag: tag, FS: h}))
		if problems != nil {
			t.Errorf("problems: %v", problems)
		}
		want := `the root's /tmp is hidden by the kernel's tmpfs
the root's /dev is hidden by the kernel's tmpfs
TAG on / type hostfs (rw)
TAG on /etc type hostfs (rw)
TAG on /usr type hostfs (rw)
tmpfs on /tmp type tmpfs (rw)
tmpfs on /proc type tmpfs (rw)
tmpfs on /dev type tmpfs (rw)`
		if got := strings.Join(notes, "\n"); got != strings.ReplaceAll(want, "TAG", tag) {
			t.Errorf("notes:\n%s\nwant\n%s", got, want)
		}
		if s := list(t, v, "/"); s != "README bin dev etc proc tmp usr" {
			t.Errorf("the root lists %q", s)
		}
		for name, want := range map[string]string{"/README": "top", "/bin/go": "tool", "/tmp/hosts": noent} {
			if s := read(v, name); s != want {
				t.Errorf("%s: %s, want %s", name, s, want)
			}
		}
		// What appears on the host later is seen, and what is made here is there.
		backdoor := fs.New(h.FileSystem, fs.MountOptions{})
		lay(t, backdoor, "later/", "later/f: new")
		lay(t, v, "mine: here", "/tmp/own: memory")
		if s := read(v, "/later/f"); s != "new" {
			t.Errorf("a later directory: %s", s)
		}
		if s := read(backdoor, "mine"); s != "here" {
			t.Errorf("written to the root: %s", s)
		}
		if s := list(t, backdoor, "/tmp"); s != "hosts" {
			t.Errorf("the host's tmp has %q", s)
		}
		if n := len(v.Mounts()); n != 7 {
			t.Errorf("%d mounts, want one more", n)
		}
		if err := v.Rename(fs.Base{}, "/usr/bin/go", fs.Base{}, "/etc/go", 0); err != nil {
			t.Errorf("rename between directories of the host: %v", err)
		}
	}
}

func TestRootWithoutHost(t *testing.T) {
	v, notes, problems := fs.NewRoot(config())
	if len(problems) != 0 || len(notes) != 4 {
		t.Errorf("notes %q, problems %v", notes, problems)
	}
	if s := list(t, v, "/"); s != "dev proc tmp" {
		t.Errorf("the root lists %q", s)
	}
	lay(t, v, "d/", "d/f: x")
	if s := read(v, "/d/f"); s != "x" {
		t.Errorf("read %s", s)
	}
}

func TestEmptyHost(t *testing.T) {
	v, _, problems := fs.NewRoot(config(fs.Share{Tag: "root", FS: newHost(0), ReadOnly: true}))
	if problems != nil {
		t.Errorf("problems: %v", problems)
	}
	if s := list(t, v, "/"); s != "dev proc tmp" {
		t.Errorf("the root lists %q", s)
	}
	if err := write(v, "/f", ""); err == nil {
		t.Error("a read-only root took a file")
	}
	lay(t, v, "/tmp/f")
}

func TestOtherShares(t *testing.T) {
	share := func(tag, path string, layout ...string) fs.Share {
		h := newHost(time.Second)
		h.at(t, layout...)
		return fs.Share{Tag: tag, FS: h, Path: path}
	}
	v, notes, problems := fs.NewRoot(config(
		share("inner", "/srv/www/deep/data", "i: inner"),
		share("data", "", "f: data"),
		share("/", "", "data/", "data/hidden", "srv/"),
		share("outer", "//srv/./www/", "o: outer", "deep/"),
		share("missing", "/no/such/place", "m: missing"),
		share("a/b", ""), share("tmp", ""), share("..", ""), share("again", "/"), share("up", "/x/../y"),
		share("relative", "x"), share("onproc", "/proc"), share("", ""),
	))
	for name, want := range map[string]string{
		"/data/f": "data", "/data/hidden": noent, "/srv/www/o": "outer", "/srv/www/deep/data/i": "inner", "/no/such/place/m": "missing",
	} {
		if s := read(v, name); s != want {
			t.Errorf("%s: %s, want %s", name, s, want)
		}
	}
	if s := list(t, v, "/"); s != "data dev no proc srv tmp" {
		t.Errorf("the root lists %q", s)
	}
	if s := list(t, v, "/no"); s != "such" {
		t.Errorf("/no lists %q", s)
	}
	var got []string
	for _, err := range problems {
		got = append(got, err.Error())
	}
	want := []string{
		`share "a/b": the tag is no name for a directory below /; use "root" or a name without slashes`,
		`share "tmp": /tmp is reserved for the kernel's tmpfs`,
		`share "..": the tag is no name for a directory below /; use "root" or a name without slashes`,
		`share "up": path "/x/../y" must not contain ".."`,
		`share "relative": path "x" is not absolute`,
		`share "onproc": /proc is reserved for the kernel's tmpfs`,
		`share "": the tag is no name for a directory below /; use "root" or a name without slashes`,
		`mounting share "again" on /: device or resource busy`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("problems:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if s := strings.Join(notes, "\n"); !strings.Contains(s, "outer on /srv/www type hostfs (rw)") {
		t.Errorf("notes:\n%s", s)
	}
}

func TestShutdown(t *testing.T) {
	root, data := newHost(0), newHost(0)
	v, _, _ := fs.NewRoot(config(fs.Share{Tag: "root", FS: root}, fs.Share{Tag: "data", FS: data}))
	if err := v.Shutdown(); err != nil {
		t.Error(err)
	}
	if !root.closed || !data.closed {
		t.Errorf("closed: %v, %v", root.closed, data.closed)
	}
}

// TestRootInImage: the image's root is the root where no share is it, and shares are
// mounted in it, at places that it does not have, too.
func TestRootInImage(t *testing.T) {
	image := func(layout ...string) *fs.Share {
		f := mem()
		lay(t, fs.New(f, fs.MountOptions{}), layout...)
		return &fs.Share{Tag: "image", FS: f, ReadOnly: true}
	}
	mount := newHost(time.Millisecond)
	mount.at(t, "f: mounted")
	c := config(fs.Share{Tag: "mount0", FS: mount, Path: "/srv/new"})
	c.Image = image("etc/", "etc/motd: image", "tmp/", "tmp/x")
	v, notes, problems := fs.NewRoot(c)
	if problems != nil {
		t.Errorf("problems: %v", problems)
	}
	for name, want := range map[string]string{"/etc/motd": "image", "/srv/new/f": "mounted", "/tmp/x": "[no such file or directory]"} {
		if got := read(v, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if err := write(v, "/etc/motd", "x"); err != syscall.EROFS {
		t.Errorf("writing: %v", err)
	}
	if got := strings.Join(notes, "\n"); !strings.Contains(got, "image on / type tmpfs (ro)") || !strings.Contains(got, "the root's /tmp is hidden") {
		t.Errorf("notes:\n%s", got)
	}

	share := newHost(time.Millisecond)
	share.at(t, "README: shared")
	c = config(fs.Share{Tag: "root", FS: share})
	c.Image = image("README: image")
	v, notes, problems = fs.NewRoot(c)
	if got := read(v, "/README"); got != "shared" || problems != nil {
		t.Errorf("with a share as the root: %q, %v", got, problems)
	}
	if got := strings.Join(notes, "\n"); !strings.Contains(got, "the root in the image is hidden") {
		t.Errorf("notes:\n%s", got)
	}
}
