package image

import (
	"context"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/yolkos/yolk/toolchain"
)

// TestThirdParty: the module has all that it imports, under paths of its own, and is
// made once: without a go command if it is there, anew if it is damaged.
func TestThirdParty(t *testing.T) {
	b := hosted(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir, err := b.thirdParty(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	files, err := readTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for name := range files {
		have[thirdPartyPath+"/"+filepath.Dir(name)] = true
	}
	for name, src := range files {
		if !isFile(name) {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			pkg, _ := strconv.Unquote(spec.Path.Value)
			if first, _, _ := strings.Cut(pkg, "/"); strings.Contains(first, ".") && !have[pkg] {
				t.Errorf("%s imports %s, which is not there", name, pkg)
			}
		}
	}
	for _, name := range editedFiles() {
		if !strings.HasSuffix(string(files[name]), editedMark) {
			t.Errorf("%s does not say that it has been changed", name)
		}
	}
	for name := range addedFiles {
		if files[name] == nil {
			t.Errorf("%s is not there", name)
		}
	}
	for _, m := range thirdPartyModules {
		if files[m+"/LICENSE"] == nil {
			t.Errorf("no licence of %s", m)
		}
	}

	none := &Builder{Toolchain: &toolchain.Toolchain{Go: "/nonexistent"}, Scratch: t.TempDir()}
	if again, err := none.thirdParty(context.Background()); again != dir || err != nil {
		t.Errorf("again: %s, %v, want %s", again, err, dir)
	}
	damaged := filepath.Join(dir, "gvisor.dev/gvisor/pkg/tcpip/tcpip.go")
	if err := os.WriteFile(damaged, []byte("package tcpip\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := none.thirdParty(context.Background()); err == nil || !strings.Contains(err.Error(), "cannot be fetched") {
		t.Errorf("damaged, and nothing to make it of: %v", err)
	}
	if again, err := b.thirdParty(context.Background()); again != dir || err != nil {
		t.Errorf("damaged: %s, %v, want %s", again, err, dir)
	}
	if text, err := os.ReadFile(damaged); err != nil || len(text) < 100 {
		t.Errorf("it is still damaged: %v", err)
	}
}

// TestOwnPaths: only imports are changed, and only those of the modules.
func TestOwnPaths(t *testing.T) {
	const src = "package p // gvisor.dev/gvisor\n\nimport (\n\t\"fmt\"\n\tx \"gvisor.dev/gvisor/pkg/tcpip\" // why\n\t\"gvisor.dev/other\"\n)\n\nconst s = \"gvisor.dev/gvisor/pkg/tcpip\"\n"
	got, pkgs, err := ownPaths("p.go", []byte(src))
	want := strings.Replace(src, "x \"gvisor", "x \""+thirdPartyPath+"/gvisor", 1)
	if string(got) != want || len(pkgs) != 1 || err != nil {
		t.Errorf("got %s %q %v", got, pkgs, err)
	}
}

// TestEdited: an edit has to find its place, once.
func TestEdited(t *testing.T) {
	edits := []thirdPartyEdit{{"a.go", "old\n", "new\n"}, {"a.go", "older\n", "newer\n"}}
	for src, want := range map[string]string{
		"1 old\n2 older\n3\n":     "1 new\n2 newer\n3\n" + editedMark,
		"2 older\n":               "",
		"1 old\n1 old\n2 older\n": "",
	} {
		out, err := edited(edits, "a.go", []byte(src))
		if string(out) != want || (err != nil) != (want == "") || err != nil && !strings.Contains(err.Error(), "a.go") {
			t.Errorf("%q: %q, %v; want %q", src, out, err, want)
		}
	}
	if out, err := edited(edits, "b.go", []byte("old\n")); string(out) != "old\n" || err != nil {
		t.Errorf("a file without edits: %q, %v", out, err)
	}
}
