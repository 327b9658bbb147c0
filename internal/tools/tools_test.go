package tools

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// ended is a test that remembers how it was ended. The rest of it is not to be used.
type ended struct {
	testing.TB
	how string
}

func (*ended) Helper()             {}
func (e *ended) Skip(args ...any)  { e.how = "skip: " + fmt.Sprint(args...) }
func (e *ended) Fatal(args ...any) { e.how = "fail: " + fmt.Sprint(args...) }

// TestFind: the first name that is there counts, and what is missing is skipped with its reason, but fails in CI.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	for name, mode := range map[string]os.FileMode{"second": 0o755, "third": 0o755, "data": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	if got := Find(t, "first", "second", "third"); got != filepath.Join(dir, "second") {
		t.Errorf("found %s", got)
	}
	for ci, want := range map[string]string{"": "skip: data is missing: make tools", "1": "fail: data is missing: make tools"} {
		t.Setenv("CI", ci)
		var e ended
		if got := Find(&e, "data", "first"); got != "" || e.how != want {
			t.Errorf("CI=%q: %q, %q, want %q", ci, got, e.how, want)
		}
		if e.how = ""; true {
			Need(&e, nil)
		}
		if e.how != "" {
			t.Errorf("CI=%q: nothing is missing, and %q", ci, e.how)
		}
	}
	t.Setenv("CI", "")
	var e ended
	if Need(&e, errors.New("no such machine")); e.how != "skip: no such machine" {
		t.Errorf("%q", e.how)
	}
}
