package yolk_test

import (
	"os"
	"strings"
	"testing"

	"github.com/yolkos/yolk"
)

// TestKernelPackages: the runtime knows each directory of the kernel's packages, so
// that what waits in them does not keep a dead program alive.
func TestKernelPackages(t *testing.T) {
	text, err := os.ReadFile("toolchain/_files/src/runtime/deadlock_tamago.go")
	if err != nil {
		t.Fatal(err)
	}
	dirs, err := yolk.Guest.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`"thirdparty/"`}
	for _, d := range dirs {
		entries, err := yolk.Guest.ReadDir(d.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			switch {
			case e.IsDir():
				want = append(want, `"`+d.Name()+`/"`)
			case strings.HasSuffix(e.Name(), ".go"):
				want = append(want, `"`+d.Name()+`."`)
			}
		}
	}
	for _, w := range want {
		if !strings.Contains(string(text), w) {
			t.Errorf("deadKernelPackages does not have %s", w)
		}
	}
}
