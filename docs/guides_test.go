package docs_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// guides are the pages whose commands are typed one after the other in a clone.
func guides(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("guides/*.md")
	if err != nil || len(names) < 5 {
		t.Fatalf("guides %q, %v", names, err)
	}
	return names
}

// isGuide reports whether a page is typed by TestGuides.
func isGuide(page string) bool {
	return strings.HasPrefix(page, "docs/guides/") && page != "docs/guides/README.md"
}

// The commands of a guide, by what they need.
var (
	writes   = regexp.MustCompile(`^(mkdir|cat >|sed -i)`) // files of the clone
	compiles = regexp.MustCompile(`^go (test|run \./direct)`)
)

// TestGuides compiles and runs what each guide writes, beside the packages that it uses:
// as an overlay, for a clone would have to build them all. What needs a machine,
// and what writes other files, is left to TestGuestGuides.
func TestGuides(t *testing.T) {
	all := read(t)
	for _, name := range guides(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			page := all["docs/"+name]
			dir := t.TempDir()
			for _, changed := range []string{"syscalls", "cmd/demo"} {
				if err := os.CopyFS(filepath.Join(dir, changed), os.DirFS(filepath.Join(top, changed))); err != nil {
					t.Fatal(err)
				}
			}
			program := "set -e\n"
			for _, b := range page.Blocks {
				for _, c := range b.Commands() {
					if writes.MatchString(c.Text) {
						run(t, "", dir, "set -e\n"+c.Text)
					}
				}
			}
			flags, want := "GOFLAGS=-overlay="+overlay(t, dir)+" ", ""
			for _, b := range page.Blocks {
				for _, c := range b.Commands() {
					if compiles.MatchString(c.Text) {
						program += flags + tested(c.Text, dir) + "\n"
						want += c.Output
					}
				}
			}
			if got := run(t, "", top, program); want != "" && got != want {
				t.Errorf("printed\n%s\nand the page says\n%s", got, want)
			}
		})
	}
}

// tested is a command that go has for a package whose directory is there: of go test, a test
// that is built, without vet, and run by itself. What it prints is no part of the guide's output.
func tested(command, dir string) string {
	words := strings.Fields(command)
	if words[1] != "test" {
		return command
	}
	pkg, flags := words[len(words)-1], strings.Join(words[2:len(words)-1], " ")
	binary := filepath.Join(dir, "test")
	return "go test -vet=off -c -o " + binary + " " + pkg + "\n(cd " + dir + " && " + binary + " " + strings.ReplaceAll(flags, "-run", "-test.run") + " >&2)"
}

// overlay makes a file for go's -overlay of those in dir that top has not, or has
// otherwise.
func overlay(t *testing.T, dir string) string {
	t.Helper()
	replace := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		at, err := filepath.Abs(filepath.Join(top, rel))
		if err != nil {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if there, err := os.ReadFile(at); err != nil || string(there) != string(text) {
			replace[at] = name
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestGuestGuides types each guide in a clean clone, as a reader does.
func TestGuestGuides(t *testing.T) {
	if os.Getenv("YOLK_DOCS") == "" {
		t.Skip("builds everything in clones; run by make guides, or with YOLK_DOCS=1")
	}
	all := read(t)
	for _, name := range guides(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			clone, bin := t.TempDir(), t.TempDir()
			for _, args := range [][]string{{"git", "clone", "-q", top, clone}, {"go", "build", "-o", filepath.Join(bin, "yolk"), "../cmd/yolk"}} {
				if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
					t.Fatalf("%q: %v: %s", args, err, out)
				}
			}
			script, want := "set -e\n", ""
			for _, b := range all["docs/"+name].Blocks {
				for _, c := range b.Commands() {
					command, output := c.Text, c.Output
					if strings.HasPrefix(command, "go test") {
						command += " >/dev/null" // it prints how long it took
					}
					script += command + "\n"
					want += output
				}
			}
			if got := run(t, bin, clone, script); got != want {
				t.Errorf("%s\nprinted\n%s\nand the page says\n%s", script, got, want)
			}
		})
	}
}
