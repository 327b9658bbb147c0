package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newProcShell makes a shell with files of the kernel's, by name.
func newProcShell(t *testing.T, files map[string]string) *shell {
	s, err := newShell("", nil, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s.proc = t.TempDir()
	for name, text := range files {
		path := filepath.Join(s.proc, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestMount(t *testing.T) {
	s := newProcShell(t, map[string]string{"mounts": "root / virtiofs rw 0 0\na\\040b /a\\134b tmpfs ro 0 0\n"})
	want(t, s, "mount", "root on / type virtiofs (rw)\na b on /a\\b type tmpfs (ro)\n")
	s = newProcShell(t, map[string]string{"mounts": "root /\n"})
	wantError(t, s, "mount", `unexpected line "root /\n"`)
	wantError(t, newProcShell(t, nil), "mount", "mounts")
}

func TestDf(t *testing.T) {
	s := newProcShell(t, map[string]string{"mounts": "root / virtiofs rw 0 0\nroot /usr virtiofs rw 0 0\n"})
	out, status := try(t, s, "df")
	if lines := strings.Count(out, "\n"); status != 0 || lines < 2 || !strings.Contains(out, "%  /\n") {
		t.Errorf("df prints %q, status %d", out, status)
	}
}

func TestLspci(t *testing.T) {
	s := newProcShell(t, map[string]string{"yolk/pci": "00:00.0 Host bridge\n", "yolk/virtio": "not this\n"})
	want(t, s, "lspci", "00:00.0 Host bridge\n")
	s = newProcShell(t, map[string]string{"yolk/pci": "", "yolk/virtio": "virtiofs root\n  requests 1\n"})
	want(t, s, "lspci | cat", "There is no PCI bus. The devices of this machine are at fixed addresses:\nvirtiofs root\n")
	wantError(t, newProcShell(t, nil), "lspci", "pci")
}

func TestFree(t *testing.T) {
	s := newProcShell(t, map[string]string{"meminfo": "MemTotal:  1048576 kB\nMemFree:  524288 kB\nMemAvailable: 786432 kB\n"})
	out, status := try(t, s, "free")
	if text := "Memory  1.0 GiB  512 MiB  512 MiB    768 MiB\n"; status != 0 || !strings.Contains(out, text) {
		t.Errorf("free prints %q, status %d, without %q", out, status, text)
	}
}

func TestUptime(t *testing.T) {
	s := newProcShell(t, map[string]string{"uptime": "12.34 6.17\n"})
	out, status := try(t, s, "uptime")
	if text := "up 12.34s, idle 6.17s (50%)"; status != 0 || !strings.Contains(out, text) {
		t.Errorf("uptime prints %q, status %d, without %q", out, status, text)
	}
	s = newProcShell(t, map[string]string{"uptime": "soon\n"})
	wantError(t, s, "uptime", `unexpected text "soon\n"`)
}

func TestDmesg(t *testing.T) {
	s := newProcShell(t, map[string]string{"kmsg": "[     0.000001] hello\n"})
	want(t, s, "dmesg", "[     0.000001] hello\n")
}

func TestPs(t *testing.T) {
	out, status := try(t, newProcShell(t, nil), "ps")
	if status != 0 || !strings.HasPrefix(strings.TrimLeft(out, " "), "ID ") || !strings.Contains(out, "demo.goroutines") {
		t.Errorf("ps prints %q, status %d", out, status)
	}
	g := parseGoroutine("goroutine 7 [chan receive, 3 minutes]:\nmain.(*x).f(0x1, {0x2, 0x3})\n\t/dir/file.go:12 +0x34\ncreated by main.g in goroutine 1\n\t/dir/file.go:1 +0x2")
	if want := (goroutine{"7", "chan receive", "3 minutes", "main.(*x).f", "main.g"}); g != want {
		t.Errorf("got %+v, want %+v", g, want)
	}
	for _, text := range []string{"", "goroutine", "goroutine [", "x\n("} {
		parseGoroutine(text) // does not fail
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 200 << 10: "200 KiB",
		1 << 20: "1.0 MiB", 1<<64 - 1: "16.0 EiB",
	} {
		if got := size(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
