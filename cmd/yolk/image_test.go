package main

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// imageSection returns where a section of an image lies.
func imageSection(t *testing.T, file, name string) (start, end uint64) {
	t.Helper()
	image, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	s := image.Section(name)
	if s == nil {
		t.Fatalf("%s: no section %s", file, name)
	}
	return s.Addr, s.Addr + s.Size
}

// TestGuestDataPages: whatever the runtime writes to can be written, wherever in its
// page it lies. What the linker puts in front, the list of the modules, is made so
// long that the other variables begin with a page.
func TestGuestDataPages(t *testing.T) {
	needGuest(t)
	const page, align = 4096, 32
	dir := program(t, "hello")
	file := filepath.Join(t.TempDir(), "hello")
	tags := "x"
	for range 3 {
		if got := runCommand(t, yolkCommand(t, dir, "build", "-o", file, "-tags", tags, ".")); got.status != 0 {
			t.Fatalf("%+v", got)
		}
		start, end := imageSection(t, file, ".go.module")
		variables, _ := imageSection(t, file, ".noptrdata")
		if variables < end {
			t.Fatalf(".noptrdata is at %#x, in front of .go.module, which ends at %#x: the linker has another order", variables, end)
		}
		if variables%page == 0 && start%page != 0 {
			for _, machine := range machines {
				if got := runCommand(t, yolkCommand(t, t.TempDir(), "run", "-q", "--machine="+machine, file)); got.status != 0 || got.stdout != "hello\n" {
					t.Errorf("%s: %+v", machine, got)
				}
			}
			return
		}
		missing := (page - variables%page) % page
		tags = strings.Repeat("x", len(tags)+int(missing)/align*align)
	}
	t.Fatal("no length of the tags has .noptrdata begin with a page")
}

// TestGuestEarlyFault: what goes wrong before there is a timer is told, too.
func TestGuestEarlyFault(t *testing.T) {
	needGuest(t)
	file := filepath.Join(t.TempDir(), "hello")
	if got := runCommand(t, yolkCommand(t, program(t, "hello"), "build", "--ldflags=-s=0", "-o", file, ".")); got.status != 0 {
		t.Fatalf("%+v", got)
	}
	image, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	symbols, err := image.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	text := image.Section(".text")
	var at int64
	for _, s := range symbols {
		if s.Name == "runtime.modulesinit" {
			at = int64(s.Value - text.Addr + text.Offset)
		}
	}
	if at == 0 {
		t.Fatal("no function runtime.modulesinit")
	}
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte{0x0f, 0x0b}, at); err != nil { // UD2
		t.Fatal(err)
	}
	for _, machine := range machines {
		got := runCommand(t, yolkCommand(t, t.TempDir(), "run", "-q", "--machine="+machine, "--timeout=60s", file))
		if got.status != 2 || !strings.Contains(got.stderr, "fatal error: exception 6") || !strings.Contains(got.stderr, "runtime.modulesinit") {
			t.Errorf("%s: %+v", machine, got)
		}
	}
}

// TestGuestHelloIsSmall: what only some programs need is not in every image.
func TestGuestHelloIsSmall(t *testing.T) {
	needGuest(t)
	const limit = 4_000_000 // bytes
	info, err := hello(t).Stat()
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > limit {
		t.Errorf("the image of hello has %d bytes, want at most %d", info.Size(), limit)
	}
}
