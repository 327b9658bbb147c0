package image

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/yolk/internal/scratch"
)

// TestUnusableCache: each place of the cache, where it cannot be made, is named, with
// what may be done about it.
func TestUnusableCache(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "cache")
	if err := os.WriteFile(cache, nil, 0o600); err != nil { // root may write to a directory whatever its mode
		t.Fatal(err)
	}
	modules := t.TempDir()
	sum := filepath.Join(modules, "cache/download/example.com/m/@v/v1.0.0.ziphash")
	if err := os.MkdirAll(filepath.Dir(sum), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sum, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", cache)
	for name, use := range map[string]func() error{
		"src": func() error { _, err := UnpackGuest(); return err },
		"tmp": func() error { _, err := scratch.New(); return err },
		"modules": func() error {
			_, err := copyModule(context.Background(), modules, &module{Path: "example.com/m", Dir: modules + "/example.com/m@v1.0.0"})
			return err
		},
	} {
		want := "make " + cache + "/yolk/" + name + " writable, or set XDG_CACHE_HOME to a directory that is"
		if err := use(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", name, err, want)
		}
	}
}
