package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/yolkos/yolk/labs/internal/report"
)

// yolkBinary builds yolk once.
var yolkBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "yolk-lab-test-")
	if err != nil {
		return "", err
	}
	made = dir
	name := filepath.Join(dir, "yolk")
	if out, err := exec.Command("go", "build", "-o", name, "../../cmd/yolk").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return name, nil
})

var made string // to be removed at the end

func TestMain(m *testing.M) {
	status := m.Run()
	if made != "" {
		os.RemoveAll(made)
	}
	os.Exit(status)
}

// verdict runs a check on a directory of this module.
func verdict(t *testing.T, n int, dir string) (failed bool, text string) {
	t.Helper()
	if os.Getenv("YOLK_GUEST") == "" {
		t.Skip("boots a guest: set YOLK_GUEST=1")
	}
	if n > 1 {
		var err error
		if yolk, err = yolkBinary(); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir("../..") // as the Makefile does
	var b strings.Builder
	r := report.New(&b)
	if err := labs[n].check(labs[n], dir, r); err != nil {
		t.Fatal(err)
	}
	r.End()
	return r.Failed(), b.String()
}

// TestSolutions: each check passes on the reference solution.
func TestSolutions(t *testing.T) {
	for n := range labs {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			if failed, text := verdict(t, n, fmt.Sprintf("labs/solutions/%d", n)); failed || !strings.Contains(text, "PASS") {
				t.Error(text)
			}
		})
	}
}

// TestSkeletons: each lab builds and boots as the student finds it, and its check
// names the first thing to do.
func TestSkeletons(t *testing.T) {
	for n, l := range labs {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			failed, text := verdict(t, n, fmt.Sprintf("labs/%d", n))
			if !failed || !strings.Contains(text, l.first) || strings.Contains(text, "PASS") {
				t.Errorf("want %q in:\n%s", l.first, text)
			}
		})
	}
}

// mistake is what a student may write in place of a part of the solution, and what
// the check has to say.
type mistake struct {
	file     string
	old, new string
	says     []string
}

// mutate checks the solution of lab n with each mistake in it.
func mutate(t *testing.T, n int, mistakes []mistake) {
	for _, m := range mistakes {
		t.Run(strings.Join(m.says, " "), func(t *testing.T) {
			file, err := filepath.Abs(fmt.Sprintf("../solutions/%d/%s", n, m.file))
			if err != nil {
				t.Fatal(err)
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(string(source), m.old) != 1 {
				t.Fatalf("%q is %d times in %s", m.old, strings.Count(string(source), m.old), m.file)
			}
			dir := t.TempDir()
			changed := filepath.Join(dir, m.file)
			if err := os.WriteFile(changed, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			list, err := json.Marshal(map[string]any{"Replace": map[string]string{file: changed}})
			if err != nil {
				t.Fatal(err)
			}
			overlay := filepath.Join(dir, "overlay.json")
			if err := os.WriteFile(overlay, list, 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("GOFLAGS", "-overlay="+overlay)
			failed, text := verdict(t, n, fmt.Sprintf("labs/solutions/%d", n))
			if !failed {
				t.Errorf("the check passes:\n%s", text)
			}
			for _, s := range m.says {
				if !strings.Contains(text, s) {
					t.Errorf("want %q in:\n%s", s, text)
				}
			}
		})
	}
}
