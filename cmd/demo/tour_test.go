package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// sample is the directory that make qemu gives to the guest.
const sample = "root"

// The manifest has the checksum of each file in the sample directory that the
// guest can see.
func TestManifest(t *testing.T) {
	if err := testTour(t, sample).walk(); err != nil {
		t.Errorf("%v; to make it anew, in cmd/demo/root:\n"+
			"find . -type f ! -path './tmp/*' ! -name MANIFEST.sha256 | sed 's,^./,,' | LC_ALL=C sort | xargs -d '\\n' sha256sum > MANIFEST.sha256", err)
	}
}

func testTour(t *testing.T, root string) *tour {
	s := newProcShell(t, map[string]string{
		"cpuinfo":     strings.Repeat("processor\t: 0\nmodel name\t: a model\n\n", runtime.NumCPU()),
		"meminfo":     "MemTotal: 65536 kB\nMemFree: 1024 kB\n",
		"mounts":      "root / virtiofs rw 0 0\ntmpfs /tmp tmpfs rw 0 0\nproc /proc proc rw 0 0\ndevtmpfs /dev devtmpfs rw 0 0\n",
		"uptime":      "1.00 0.50\n",
		"kmsg":        "[     0.000001] hello\n",
		"yolk/pci":    "",
		"yolk/virtio": "virtiofs root\n",
		"yolk/fuse":   "virtiofs root\n  INIT 1\n",
	})
	p := &process{sh: s, ctx: t.Context(), out: t.Output(), errs: t.Output()}
	return &tour{process: p, root: root, tmp: t.TempDir()}
}

// All steps work on any system, but for those that need "/" to be the sample.
func TestSteps(t *testing.T) {
	for _, st := range steps {
		t.Run(st.title, func(t *testing.T) {
			if st.title == "Symbolic links" || st.title == "No way out" {
				t.Skip("needs the sample as the root: run the tour in the guest")
			}
			if err := st.guarded(testTour(t, sample)); err != nil {
				t.Error(err)
			}
		})
	}
}

// The tour sees when something is wrong.
func TestStepsFail(t *testing.T) {
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(sample)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(root, "usr/share/poems/humpty-dumpty.txt")); err != nil {
		t.Fatal(err)
	}
	if err := testTour(t, root).walk(); err == nil || !strings.Contains(err.Error(), "humpty-dumpty.txt is in the manifest only") {
		t.Errorf("a missing file: %v", err)
	}
	if err := os.WriteFile(filepath.Join(root, "usr/share/poems/riddle.txt"), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, step := range map[string]func(*tour) error{"readFile": (*tour).readFile, "walk": (*tour).walk} {
		if err := step(testTour(t, root)); err == nil || !strings.Contains(err.Error(), "manifest has") {
			t.Errorf("%s of a changed file: %v", name, err)
		}
	}
	if err := testTour(t, t.TempDir()).walk(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no manifest: %v", err)
	}
	guide := testTour(t, sample)
	for name, text := range map[string]string{"yolk/virtio": "", "mounts": "root / ext4 rw 0 0\n", "kmsg": "", "meminfo": "MemTotal: 1 kB\n"} {
		if err := os.WriteFile(filepath.Join(guide.sh.proc, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, step := range map[string]func() error{"memory": guide.memory, "devices": guide.devices, "mountTable": guide.mountTable, "log": guide.log} {
		if err := step(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestWalkThrough(t *testing.T) {
	var out bytes.Buffer
	guide := testTour(t, sample)
	guide.out = &out
	err := guide.walkThrough([]step{
		{"Good", "Prints.", func(t *tour) error { t.printf("a\nb"); return nil }},
		{"Bad", "Fails.", func(t *tour) error { return fmt.Errorf("no good") }},
		{"Ugly", "Panics.", func(t *tour) error { panic("ugh") }},
	})
	if !errors.Is(err, errTour) {
		t.Errorf("error %v", err)
	}
	for _, text := range []string{" 1. Good\n    Prints.\n    | a\n    | b", "FAILED: no good\n", "FAILED: panic: ugh\n", "1 of 3 steps ok"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("got %s\nwithout %q", &out, text)
		}
	}
}
