//go:build tamago

package guest

import (
	"os"
	"testing"
)

// A test has the environment that its user has. What yolk sets for the go
// command is not part of it: GOOS would have package go/build choose another
// system's files.
func TestEnvironment(t *testing.T) {
	for _, name := range []string{"GOOSPKG", "GOLIFTED", "GOTMPDIR", "YOLK_EXEC_TEST"} {
		if value, ok := os.LookupEnv(name); ok {
			t.Errorf("%s=%q, want it not set", name, value)
		}
	}
	if value := os.Getenv("GOOS"); value == "tamago" {
		t.Errorf("GOOS=%q", value)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if pwd := os.Getenv("PWD"); pwd != wd {
		t.Errorf("PWD=%q in %s", pwd, wd)
	}
}
