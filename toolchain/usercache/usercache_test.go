package usercache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestExplain: an error about the place, or about a directory above it, names the place
// and the variable that sets another one; errors about something else do not.
func TestExplain(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "cache")
	t.Setenv("XDG_CACHE_HOME", cache)
	p, err := Find("src", "sources")
	if err != nil || p.Path != cache+"/yolk/src" {
		t.Fatalf("%+v, %v", p, err)
	}
	if err := os.WriteFile(cache, nil, 0o600); err != nil { // root may write everywhere else
		t.Fatal(err)
	}
	path := func(name string, err error) error { return &os.PathError{Op: "open", Path: name, Err: err} }
	for _, tt := range []struct {
		err  error
		want string // in the words that are added; "": none are
	}{
		{os.MkdirAll(p.Path, 0o755), "make " + p.Path + " writable, or set XDG_CACHE_HOME"},
		{path(p.Path, syscall.EROFS), "make " + p.Path + " writable, or set XDG_CACHE_HOME"},
		{fmt.Errorf("more: %w", path(p.Path+"/a/b", syscall.EACCES)), "make " + p.Path + " writable, or set XDG_CACHE_HOME"},
		{path("/", syscall.EROFS), "make " + p.Path + " writable, or set XDG_CACHE_HOME"},
		{&os.LinkError{Op: "rename", Old: "/elsewhere", New: p.Path + "/a", Err: syscall.EPERM}, "make " + p.Path + " writable, or set XDG_CACHE_HOME"},
		{path(p.Path+"/a", syscall.ENOSPC), "free some space where " + p.Path + " is, or set XDG_CACHE_HOME"},
		{path(p.Path, syscall.EDQUOT), "free some space where"},
		{path(p.Path+"x/a", syscall.EACCES), ""},
		{path("/elsewhere", syscall.EACCES), ""},
		{errors.New("damaged"), ""},
	} {
		if tt.err == nil {
			t.Fatal("no error")
		}
		err := p.Explain(tt.err)
		added, ok := strings.CutPrefix(err.Error(), "sources: "+tt.err.Error())
		if !ok || !errors.Is(err, tt.err) || !strings.Contains(added, tt.want) || tt.want == "" && added != "" {
			t.Errorf("%v: %v", tt.err, err)
		}
	}
	if p.Explain(nil) != nil {
		t.Error("an error of none")
	}
	for _, tt := range []struct{ cache, home string }{{"", ""}, {"", "here"}, {"here", "/home/gopher"}} {
		t.Setenv("XDG_CACHE_HOME", tt.cache)
		t.Setenv("HOME", tt.home)
		if _, err := Find("src", "sources"); err == nil || !strings.Contains(err.Error(), "no place for sources") || !strings.HasSuffix(err.Error(), "; set HOME or XDG_CACHE_HOME") {
			t.Errorf("XDG_CACHE_HOME %q, HOME %q: %v", tt.cache, tt.home, err)
		}
	}
}
