package toolchain

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRender applies the whole of the contents to the machine's Go, and to
// those of the line that are in the module cache.
func TestRender(t *testing.T) {
	s, err := findStock(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	roots, _ := filepath.Glob(strings.TrimSpace(string(cache)) + "/golang.org/toolchain@v0.0.1-" + stockLine + "*." + strings.ReplaceAll(s.Host, "_", "-"))
	for _, root := range append(roots, s.Root) {
		text, err := os.ReadFile(filepath.Join(root, "VERSION"))
		if err != nil {
			t.Fatal(err)
		}
		version, _, _ := strings.Cut(string(text), "\n")
		t.Run(version, func(t *testing.T) {
			if !fits(version) {
				t.Skip("not of the line")
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
		return "#!/bin/sh\nv=" + own + "\n[ \"$GOTOOLCHAIN\" = local ] || " + fetched +
			"\necho '{\"GOROOT\": \"/r/'$v'\", \"GOVERSION\": \"'$v'\", \"GOHOSTOS\": \"linux\", \"GOHOSTARCH\": \"amd64\"}'\n"
	}
	for _, tt := range []struct{ name, script, root, err string }{
		{"own", script("go1.26.5", "exit 1"), "/r/go1.26.5", ""},
		{"marked by a distributor", script("go1.26.8-1dist", "exit 1"), "/r/go1.26.8-1dist", ""},
		{"older, fetched", script("go1.24.1", "v=go1.26.8"), "/r/go1.26.8", ""},
		{"newer, fetched", script("go1.27.0", "v=go1.26.8"), "/r/go1.26.8", ""},
		{"older, offline", script("go1.24.1", "{ echo 'dial tcp: no route' >&2; exit 1; }"), "", "is go1.24.1 and could not fetch go1.26.8 (exit status 1: dial tcp: no route): install"},
		{"too old to fetch", script("go1.20", "true"), "", "it stays go1.20"},
		{"broken", "#!/bin/sh\necho oops >&2\nexit 3\n", "", "does not work (exit status 3: oops)"},
		{"no answer", "#!/bin/sh\necho oops\n", "", "answers"},
		{"none", "", "", "no go command in PATH"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if tt.script != "" {
				write(t, dir+"/go", tt.script, 0o755)
			}
			t.Setenv("PATH", dir)
			s, err := findStock(context.Background())
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

func TestTAMAGO(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/go", "#!/bin/sh\necho '{\"GOROOT\": \"/r\", \"GOVERSION\": \"go1.26.4\"}'\n", 0o755)
	t.Setenv("TAMAGO", dir+"/go")
	tc, err := Ensure(context.Background(), nil)
	if err != nil || tc.Go != dir+"/go" || tc.Root != "/r" {
		t.Errorf("got %+v, %v", tc, err)
	}
	t.Setenv("TAMAGO", dir+"/no")
	if _, err := Ensure(context.Background(), nil); err == nil || !strings.Contains(err.Error(), "unset TAMAGO") {
		t.Errorf("error %v", err)
	}
}
