package kernel

import (
	"encoding/hex"
	"maps"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs/devfs"
	"github.com/yolkos/yolk/fs/tty"
)

func TestFlags(t *testing.T) {
	f := parseFlags("quiet=1\npath.mount0=\"/a \\\"b\\n\"\npath.bad=/x\nreadonly.mount0=1\nfiles.mount0=99\nfiles.bad=x\nnonsense\n=\n")
	if f["quiet"] != "1" || f["readonly.mount0"] != "1" {
		t.Errorf("%q", f)
	}
	if p, err := f.path("mount0"); p != "/a \"b\n" || err != nil {
		t.Errorf("path %q, %v", p, err)
	}
	if p, err := f.path("other"); p != "" || err != nil {
		t.Errorf("path of a share without one: %q, %v", p, err)
	}
	if _, err := f.path("bad"); err == nil {
		t.Error("a path without quotes was taken")
	}
	for tag, want := range map[string]int{"mount0": 99, "other": 0, "bad": 0} {
		if n, err := f.files(tag); n != want || (err != nil) != (tag == "bad") {
			t.Errorf("files of %s: %d, %v", tag, n, err)
		}
	}
}

func TestParseTime(t *testing.T) {
	if at := parseTime("1700000000123456789"); !at.Equal(time.Unix(1700000000, 123456789)) {
		t.Errorf("%v", at)
	}
	for _, s := range []string{"", "-1", "0", "x", "1\n", "99999999999999999999"} {
		if at := parseTime(s); !at.IsZero() {
			t.Errorf("%q gives the time %v", s, at)
		}
	}
}

// TestStreamFlags: what the launcher says of the standard streams.
func TestStreamFlags(t *testing.T) {
	settings := tty.Default()
	settings.Cc[tty.VERASE] = 8
	b := make([]byte, tty.SizeTermios2)
	settings.Encode(b)
	f := parseFlags("file.stdin=100644 7 12345\nfile.stdout=tty\nfile.stderr=644 0 0\ntty=24 80 800 480 " + hex.EncodeToString(b) + "\n")
	if k, ok := f.kind("stdin"); !ok || k != (devfs.Kind{Mode: 0o100644, Rdev: 7, Size: 12345}) {
		t.Errorf("stdin: %+v, %t", k, ok)
	}
	for text, want := range map[string][3]int{
		"": {99, 99, 99}, "w": {syscall.O_WRONLY, 99, 99}, "-rb": {99, syscall.O_RDONLY, syscall.O_RDWR}, "xyz": {99, 99, 99},
	} {
		f["access"] = text
		if got := [3]int{f.access(0, 99), f.access(1, 99), f.access(2, 99)}; got != want {
			t.Errorf("access %q: %d, want %d", text, got, want)
		}
	}
	for _, name := range []string{"stdout", "stderr", "other"} {
		if k, ok := f.kind(name); ok {
			t.Errorf("%s: %+v", name, k)
		}
	}
	size, m, ok := f.terminal()
	if !ok || size != (tty.Winsize{Row: 24, Col: 80, Xpixel: 800, Ypixel: 480}) || m != settings {
		t.Errorf("terminal: %+v %+v %t", size, m, ok)
	}
	for text, there := range map[string]bool{"": false, "tty=\n": false, "tty=24\n": true, "tty=1 2 3 4 00\n": true, "tty=1 2 3 4 \n": true, "tty=99999 2 3 4 zz\n": true} {
		if _, m, ok := parseFlags(text).terminal(); ok != there || m != tty.Default() {
			t.Errorf("%q: %t, %+v", text, ok, m)
		}
	}
}

func TestCommandLineSettings(t *testing.T) {
	f := parseFlags("quiet=0\n")
	errs := f.addWords([]string{"quiet", "yolk.quiet", "yolk.cwd=/a b", "yolk.path.data=/srv/\"x", "yolk.env=A=b", "yolk.nonsense=1", "yolk.path.=x", "yolk.", "yolk.env=A", "yolk.env", "yolk.env==b"})
	want := flags{"quiet": "0", "cwd": "/a b", "path.data": `"/srv/\"x"`}
	if !maps.Equal(f, want) {
		t.Errorf("%q, want %q", f, want)
	}
	if p, err := f.path("data"); p != `/srv/"x` || err != nil {
		t.Errorf("path %q, %v", p, err)
	}
	if len(errs) != 6 || !strings.Contains(errs[5].Error(), `"yolk.env==b": want yolk.env=NAME=VALUE`) || !strings.Contains(errs[0].Error(), `"yolk.nonsense=1": no such setting`) {
		t.Errorf("errors %v", errs)
	}
}
