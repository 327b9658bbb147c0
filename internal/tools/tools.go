// Package tools is what tests of several packages use: programs that are not of this module, and network namespaces.
package tools

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Find returns the file of a program, that of the first of its names which is in PATH. Without any the test is skipped or
// fails, as with Need.
func Find(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if file, err := exec.LookPath(name); err == nil {
			return file
		}
	}
	Need(t, fmt.Errorf("%s is missing: make tools", names[0]))
	return ""
}

// Browser returns the file of a Chromium that runs without a screen.
func Browser(t testing.TB) string {
	t.Helper()
	return Find(t, "chromium-headless-shell", "chromium", "chrome", "google-chrome")
}

// Need skips a test for want of what err tells of; nil: nothing is missing. In CI, where nothing is to be, the test fails.
func Need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
}
