package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/bench/cpus/internal/lines"
)

func TestReport(t *testing.T) {
	all := results{
		{1, []lines.Row{{Name: "flat", Instructions: 100}, {Name: "grows", Instructions: 100}}},
		{4, []lines.Row{{Name: "flat", Instructions: 120, Contended: 0.5, Holder: "f"}, {Name: "grows", Instructions: 121, Contended: 0.25, Holder: "g"}}},
	}
	file := filepath.Join(t.TempDir(), "page.md")
	for range 2 { // the second takes the place of the first
		if old, err := os.ReadFile(file); err != nil || len(old) == 0 {
			if err := os.WriteFile(file, []byte("# Scale\n\nbefore\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := all.writePage(file); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	for _, want := range []string{
		"# Scale\n\nbefore\n\n## CPUs\n",
		"| operation | 1 | 4 | times | most waited for |\n|---|--:|--:|--:|---|\n",
		"| flat | 100 | 120 (500) | 1.20 |  |\n",
		"| grows | 100 | 121 (250) | **1.21** | `g` |\n",
	} {
		if strings.Count(got, want) != 1 {
			t.Errorf("want once: %s\ngot: %s", want, got)
		}
	}
	all[1].rows = all[1].rows[:1]
	if err := all.writePage(file); err == nil {
		t.Error("a run without a row is no error")
	}
}
