package toolchain

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRender applies the whole of the contents to the machine's Go, and to
// those that are in the module cache.
func TestRender(t *testing.T) {
	s, err := findStock(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	roots, _ := filepath.Glob(strings.TrimSpace(string(cache)) + "/golang.org/toolchain@v0.0.1-go*." + strings.ReplaceAll(s.Host, "_", "-"))
	for _, root := range append(roots, s.Root) {
		text, err := os.ReadFile(filepath.Join(root, "VERSION"))
		if err != nil {
			t.Fatal(err)
		}
		version, _, _ := strings.Cut(string(text), "\n")
		t.Run(version, func(t *testing.T) {
			if !slices.ContainsFunc(lines, func(l line) bool { return l.fits(version, "") }) {
				t.Skip("of no line")
			}
			c := builtin()
			files, err := c.render(&stock{Root: root, Version: version, Host: s.Host}, version+"-yolk.test")
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"VERSION", "src/internal/syslist/syslist.go", "src/runtime/goos/goos.go"} {
				if len(files[name]) == 0 {
					t.Errorf("no %s", name)
				}
			}
		})
	}
}

func TestFindStock(t *testing.T) {
	places := goPlaces
	defer func() { goPlaces = places }()
	goPlaces = nil
	// A go command that is of one version by itself, and of another when
	// $GOTOOLCHAIN asks for that.
	script := func(own, fetched string) string {
		return "#!/bin/sh\nv=" + own + "\ncase \"$GOTOOLCHAIN\" in local|auto) ;; *) " + fetched + ";; esac" +
			"\necho '{\"GOROOT\": \"/r/'$v'\", \"GOVERSION\": \"'$v'\", \"GOHOSTOS\": \"linux\", \"GOHOSTARCH\": \"amd64\", \"GOTOOLCHAIN\": \"'$GOTOOLCHAIN'\"}'\n"
	}
	const named = "v=$GOTOOLCHAIN"
	const offline = "echo 'dial tcp: no route' >&2; exit 1"
	for _, tt := range []struct{ name, script, setting, wants, root, err string }{
		{"own", script("go1.26.5", "exit 1"), "auto", "", "/r/go1.26.5", ""},
		{"marked by a distributor", script("go1.26.8-1dist", "exit 1"), "auto", "", "/r/go1.26.8-1dist", ""},
		{"older, fetched", script("go1.24.1", named), "local", "", "/r/go1.26.8", ""},
		{"newer, fetched", script("go1.27.1", named), "auto", "", "/r/go1.26.8", ""},
		{"newer, offline", script("go1.27.1", offline), "auto", "", "/r/go1.27.1", ""},
		{"older, offline", script("go1.24.1", offline), "auto", "", "", "is go1.24.1 and could not fetch go1.26.8 (exit status 1: dial tcp: no route): install"},
		{"too old to fetch", script("go1.20", "true"), "auto", "", "", "it stays go1.20"},
		{"own is wanted", script("go1.26.5", "exit 1"), "local", "1.26.5", "/r/go1.26.5", ""},
		{"a later release is wanted", script("go1.26.5", named), "local", "1.26.6", "/r/go1.26.8", ""},
		{"the latest release is wanted", script("go1.26.5", named), "local", "1.26.11", "/r/go1.26.11", ""},
		{"a newer Go is wanted", script("go1.26.5", named), "auto", "1.27", "/r/go1.27.4", ""},
		{"its latest release is wanted", script("go1.26.5", named), "auto", "1.27.11", "/r/go1.27.11", ""},
		{"the newer Go is there", script("go1.27.2", "exit 1"), "local", "1.27.1", "/r/go1.27.2", ""},
		{"the newer Go may not be fetched", script("go1.26.5", named), "local", "1.27.1", "", "GOTOOLCHAIN=local keeps go1.27.4 from being fetched"},
		{"the newer Go cannot be fetched", script("go1.26.5", offline), "auto", "1.27.1", "", "Yolk needs Go 1.27 (1.27.0 or later)"},
		{"a newer Go is named", script("go1.26.5", named), "go1.27.3", "", "/r/go1.27.3", ""},
		{"a newer Go is named and wanted", script("go1.26.5", named), "go1.27.3", "1.27.2", "/r/go1.27.3", ""},
		{"an older Go is named", script("go1.26.5", named), "go1.24.3", "", "/r/go1.26.8", ""},
		{"what is named cannot be fetched", script("go1.26.5", offline), "go1.26.7", "", "/r/go1.26.5", ""},
		{"too new", script("go1.26.5", named), "auto", "1.28", "", ErrTooNew.Error()},
		{"an old Go is wanted", script("go1.26.5", "exit 1"), "auto", "1.17", "/r/go1.26.5", ""},
		{"broken", "#!/bin/sh\necho oops >&2\nexit 3\n", "auto", "", "", "does not work (exit status 3: oops)"},
		{"no answer", "#!/bin/sh\necho oops\n", "auto", "", "", "answers"},
		{"none", "", "auto", "", "", "no go command in PATH"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if tt.script != "" {
				write(t, dir+"/go", tt.script, 0o755)
			}
			t.Setenv("PATH", dir)
			t.Setenv("GOTOOLCHAIN", tt.setting)
			s, err := findStock(context.Background(), tt.wants)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %v, want one with %q, on one line", err, tt.err)
				}
				return
			}
			if err != nil || s.Root != tt.root || s.Go != tt.root+"/bin/go" || s.Host != "linux_amd64" {
				t.Errorf("got %+v, %v", s, err)
			}
		})
	}
}

func TestFits(t *testing.T) {
	l := line{"go1.26", "go1.26.4", "go1.26.8"}
	for version, want := range map[string]bool{
		"go1.26.4": true, "go1.26.8": true, "go1.26.10": true, "go1.26.8 X:nodwarf5": true, "go1.26.8-dist1": true,
		"go1.26.3": false, "go1.26": false, "go1.26rc1": false, "go1.25.9": false, "go1.27.4": false, "devel go1.26-abc": false,
	} {
		if got := l.fits(version, ""); got != want {
			t.Errorf("fits(%q) = %v, want %v", version, got, want)
		}
	}
}

func TestTAMAGO(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/go", "#!/bin/sh\necho '{\"GOROOT\": \"/r\", \"GOVERSION\": \"go1.26.4\"}'\n", 0o755)
	t.Setenv("TAMAGO", dir+"/go")
	tc, err := Ensure(context.Background(), "", nil)
	if err != nil || tc.Go != dir+"/go" || tc.Root != "/r" {
		t.Errorf("got %+v, %v", tc, err)
	}
	t.Setenv("TAMAGO", dir+"/no")
	if _, err := Ensure(context.Background(), "", nil); err == nil || !strings.Contains(err.Error(), "unset TAMAGO") {
		t.Errorf("error %v", err)
	}
}
