package qemu

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/kernel/control"
)

// readAll reads a file as a guest does.
func readAll(t *testing.T, h *hostFiles, name string, count string) (kind, data string, errno syscall.Errno) {
	t.Helper()
	for {
		off := control.Message{Verb: control.FileRead, Args: []string{name, strconv.Itoa(len(data)), count}}
		b := h.answer(off)
		line, rest, ok := strings.Cut(string(b), "\n")
		m, err := control.Parse(line)
		if !ok || err != nil || m.Verb != control.FileData {
			t.Fatalf("%s: answer %.80q", name, b)
		}
		n, _ := m.Count(0)
		size, _ := m.Count(2)
		if length, _ := m.Count(3); int(length) != len(rest) {
			t.Fatalf("%s: %q and %d bytes", name, line, len(rest))
		}
		data += rest
		if n != 0 || m.Arg(1) != "file" || len(rest) == 0 || len(data) == int(size) {
			return m.Arg(1), data, syscall.Errno(n)
		}
	}
}

func TestHostFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	image, err := os.Open(file("image", strings.Repeat("image", 1000)))
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	env := map[string]string{"SSL_CERT_FILE": file("certs", "certificates")}
	h := &hostFiles{image: image, getenv: func(name string) string { return env[name] }}

	if kind, data, errno := readAll(t, h, "exe", "999"); kind != "file" || data != strings.Repeat("image", 1000) || errno != 0 {
		t.Errorf("the image: %s of %d bytes, %v", kind, len(data), errno)
	}
	if _, data, errno := readAll(t, h, "etc/ssl/certs/ca-certificates.crt", "99"); data != "certificates" || errno != 0 {
		t.Errorf("certificates: %q, %v", data, errno)
	}
	if want, err := os.ReadFile("/etc/passwd"); err == nil {
		if _, data, errno := readAll(t, h, "etc/passwd", "99999"); data != string(want) || errno != 0 {
			t.Errorf("passwd: %q, %v", data, errno)
		}
	}
	// Nothing else of the host.
	for _, name := range []string{"etc/shadow", "/etc/passwd", "etc/../etc/passwd", "", "etc", "usr/share/zoneinfo/../../../etc/passwd",
		"usr/share/zoneinfo//etc/passwd", "usr/share/zoneinfo/", "usr/share/zoneinfox", "usr/share/zoneinfo/\x00"} {
		if kind, data, errno := readAll(t, h, name, "99"); errno != syscall.ENOENT || data != "" {
			t.Errorf("%q: %s %q, %v", name, kind, data, errno)
		}
	}
	for _, args := range [][]string{nil, {"exe", "-1", "5"}, {"exe", "5", "x"}, {"exe", "9223372036854775807", "9223372036854775807"}} {
		b := h.answer(control.Message{Verb: control.FileRead, Args: args})
		if !strings.HasPrefix(string(b), control.FileData+" 22 file 0 0\n") {
			t.Errorf("%q: answer %.80q", args, b)
		}
	}
	if b := h.answer(control.Message{Verb: control.FileRead, Args: []string{"exe", "5000", "9"}}); string(b) != control.FileData+" 0 file 5000 0\n" {
		t.Errorf("behind the end: %.80q", b)
	}
}

func TestHostFileKinds(t *testing.T) {
	dir := t.TempDir()
	pipe, long := filepath.Join(dir, "pipe"), filepath.Join(dir, "long")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(long, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(long, maxHostFile+1); err != nil {
		t.Fatal(err)
	}
	os.Mkdir(filepath.Join(dir, "sub"), 0o755)
	for _, c := range []struct {
		place, kind, data string
		err               error
	}{
		{pipe, "file", "", syscall.ENOENT}, {long, "file", "", syscall.EFBIG}, {dir, "dir", "long\x00pipe\x00sub/\x00", nil},
		{filepath.Join(dir, "none"), "file", "", syscall.ENOENT},
	} {
		kind, _, data, err := openPart([]string{c.place}, 0, 10)
		parts := strings.SplitAfter(string(data), "\x00")
		slices.Sort(parts) // they come in any order
		if kind != c.kind || strings.Join(parts, "") != c.data || err != c.err {
			t.Errorf("%s: %s %q, %v", c.place, kind, data, err)
		}
	}
}

func TestLocalZone(t *testing.T) {
	if _, err := os.Stat("/usr/share/zoneinfo/Europe/Berlin"); err != nil {
		t.Skip("this host has no time zones")
	}
	for tz, want := range map[string]string{
		"Europe/Berlin": "Europe/Berlin", ":Europe/Berlin": "Europe/Berlin", "/usr/share/zoneinfo/Asia/Tokyo": "Asia/Tokyo",
		"../../../etc/passwd": "", "/etc/passwd": "", "No/Where": "", "CET-1CEST": "", "Europe": "",
	} {
		h := &hostFiles{getenv: func(string) string { return tz }}
		name, ok := h.localZone()
		if name = map[bool]string{true: name}[ok]; name != want {
			t.Errorf("TZ=%s is zone %q, want %q", tz, name, want)
		}
	}
}
