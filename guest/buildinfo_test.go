package guest

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

// A program finds of its build what it would find on Linux: who prints the system, or
// chooses by it, has the same as by runtime.GOOS.
func TestBuildInfo(t *testing.T) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Fatal("there is none")
	}
	found := false
	for _, s := range info.Settings {
		found = found || s.Key == "GOOS"
		switch {
		case s.Key == "GOOS" && s.Value != runtime.GOOS:
			t.Errorf("GOOS is %s, and runtime.GOOS %s", s.Value, runtime.GOOS)
		case s.Key == "-tags" && (s.Value == "" || strings.Contains(s.Value, "linkramsize")):
			t.Errorf("tags %q", s.Value)
		case s.Key == "-ldflags" && (s.Value == "" || strings.Contains(s.Value, "-T 0x") || strings.HasPrefix(s.Value, "-s -w ")):
			t.Errorf("flags of the linker %q", s.Value)
		}
	}
	if !found {
		t.Errorf("no GOOS in %v", info.Settings)
	}
}
