package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/yolk/internal/options"
)

// What yolk sets for the go command is not there for the test: it has what the
// user has set, and the directory that go test says.
func TestReplacedEnvironment(t *testing.T) {
	from := []string{"YOLK_A=1", "YOLK_B=", "YOLK_C=x=y", "PWD=/user", "YOLK_A=2"}
	to := append(slices.Clone(from), "YOLK_A=3", "YOLK_B=b", "YOLK_C=x=y", "YOLK_D=", "YOLK_E=5", "PWD=/package")
	list := options.ReplacedEnv(from, to)
	if want := []string{"YOLK_A=2", "YOLK_B=", "YOLK_D", "YOLK_E"}; !slices.Equal(list, want) {
		t.Fatalf("got %q, want %q", list, want)
	}
	for _, v := range to {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	if err := restore(list); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"YOLK_A": "2", "YOLK_B": "", "YOLK_C": "x=y", "PWD": "/package"} {
		if got, ok := os.LookupEnv(name); !ok || got != value {
			t.Errorf("%s=%q, %v, want %q", name, got, ok, value)
		}
	}
	for _, name := range []string{"YOLK_D", "YOLK_E"} {
		if got, ok := os.LookupEnv(name); ok {
			t.Errorf("%s=%q, want it not set", name, got)
		}
	}
	if err := restore([]string{"=x"}); err == nil {
		t.Error("a variable without a name was restored")
	}
}
