package image

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yolkos/yolk/arch/amd64/embedded"
)

func textPart(name, text string) Part {
	return Part{name, uint64(len(text)), func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}}
}

// program is this test's own executable, which is as good as an image for what is to be
// done to it, and can be run.
func program(t *testing.T) (f *os.File, size int64) {
	t.Helper()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if f, err = os.Open(name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return f, info.Size()
}

func addTo(t *testing.T, in io.ReaderAt, size int64, parts ...Part) (*os.File, error) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "image"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	return out, AddParts(out, in, size, parts)
}

// TestAddParts: the program is as it was, and runs; each part is found by its name; the
// parts are loaded, at addresses that nothing else has.
func TestAddParts(t *testing.T) {
	in, size := program(t)
	large := strings.Repeat("large", 100_000)
	out, err := addTo(t, in, size, textPart(embedded.Args, "a\x00b\x00"), textPart("empty", ""), textPart(embedded.Root, large))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{embedded.Args: "a\x00b\x00", "empty": "", embedded.Root: large} {
		s, err := FindPart(out, name)
		if err != nil || s == nil {
			t.Fatalf("%s: %v, %v", name, s, err)
		}
		if got, err := io.ReadAll(s); err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if s, err := FindPart(out, embedded.Env); s != nil || err != nil {
		t.Errorf("a part that is not there: %v, %v", s, err)
	}
	before, err := elf.NewFile(in)
	if err != nil {
		t.Fatal(err)
	}
	after, err := elf.NewFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(before.Sections); len(after.Sections) != n+1 || after.Sections[n].Name != ".yolk" {
		t.Fatalf("%d sections, the last %+v", len(after.Sections), after.Sections[len(after.Sections)-1])
	}
	for i, s := range before.Sections {
		a := after.Sections[i]
		if s.Name != a.Name || s.Addr != a.Addr || s.Size != a.Size && s.Name != ".shstrtab" {
			t.Errorf("section %+v has become %+v", s.SectionHeader, a.SectionHeader)
		}
		if s.Type == elf.SHT_NOBITS || s.Name == ".shstrtab" {
			continue
		}
		x, err := s.Data()
		y, aerr := a.Data()
		if err != nil || aerr != nil || !bytes.Equal(x, y) {
			t.Errorf("section %s has other contents", s.Name)
		}
	}
	var loads []elf.ProgHeader
	for _, p := range after.Progs {
		if p.Type == elf.PT_LOAD {
			loads = append(loads, p.ProgHeader)
		}
	}
	for i, p := range loads[1:] {
		if p.Vaddr < loads[i].Vaddr+loads[i].Memsz || p.Vaddr%page != p.Off%page {
			t.Errorf("segments %+v, %+v", loads[i], p)
		}
	}
	a, err := buildinfo.Read(in)
	b, berr := buildinfo.Read(out)
	if err != nil || berr != nil || a.String() != b.String() {
		t.Errorf("other build information: %v, %v", err, berr)
	}
	if err := errors.Join(out.Chmod(0o700), out.Close()); err != nil {
		t.Fatal(err)
	}
	list, err := exec.Command(out.Name(), "-test.list", "^TestAddParts$").CombinedOutput()
	if err != nil || !slices.Contains(strings.Fields(string(list)), "TestAddParts") {
		t.Errorf("running it: %v, %s", err, list)
	}
}

func TestAddPartsErrors(t *testing.T) {
	in, size := program(t)
	once, err := addTo(t, in, size, textPart("a", "a"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := once.Stat()
	if err != nil {
		t.Fatal(err)
	}
	failed := errors.New("no more")
	for what, c := range map[string]struct {
		in    io.ReaderAt
		size  int64
		parts []Part
		want  string
	}{
		"twice":       {once, info.Size(), []Part{textPart("b", "b")}, "has such parts already"},
		"no ELF file": {strings.NewReader("text"), 4, nil, "ELF header"},
		"too large":   {in, size, []Part{{"root", 3 << 30, nil}}, "room for"},
		"enormous":    {in, size, []Part{{"root", 1<<64 - 5000, nil}}, "room for"},
		"too short":   {in, size, []Part{{"root", 5, textPart("", "four").Write}}, "5"},
		"a name":      {in, size, []Part{textPart("a-name-that-is-long", "")}, "name"},
		"writing":     {in, size, []Part{{"root", 5, func(io.Writer) error { return failed }}}, "no more"},
	} {
		if _, err := addTo(t, c.in, c.size, c.parts...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
