package page

import (
	"os"
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/bench/internal/rows"
)

func TestSplit(t *testing.T) {
	for text, want := range map[string][2]string{
		"":                          {"", ""},
		"# A\n\ntext\n":             {"# A\n\ntext\n", ""},
		"# A\n\n## Network\nrows\n": {"# A\n\n", "## Network\nrows\n"},
		"# A\n\n## Networks\n":      {"# A\n\n## Networks\n", ""},
	} {
		if before, network := Split(text, Network); before != want[0] || network != want[1] {
			t.Errorf("%q: %q and %q", text, before, network)
		}
	}
}

func TestByInstructions(t *testing.T) {
	const figures = "# Linux 6\n1000 2500 0 0 virtio-fs os.Stat 1\n7 - 0 - boot\n0 5 0 0 virtio-fs os.Stat 4\n"
	page := "# A\n\n| | unit | by instructions |\n|---|---|--:|\n| stat at depth 1, again | µs | – |\n| stat at depth 4, again | µs | 9.99 |\n| rename | µs | 3 |\n" +
		"\n| | unit |\n|---|--:|\n| stat at depth 1, again | 1.00 |\n"
	want := strings.NewReplacer("again | µs | – |", "again | µs | 2.50 |", "9.99", "–", "µs | 3 |", "µs | – |").Replace(page)
	if got := ByInstructions(page, figures); got != want {
		t.Errorf("%s", got)
	}
}

// TestBenchmarks: docs/benchmarks.md tells what docs/instructions.txt has, of each row that
// says which operation is its own.
func TestBenchmarks(t *testing.T) {
	const docs = "../../../../docs/"
	figures, err := os.ReadFile(docs + "instructions.txt")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(docs + "benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	if got := ByInstructions(string(page), string(figures)); got != string(page) {
		t.Errorf("docs/benchmarks.md is not of docs/instructions.txt: make count writes both")
	}
	all := ratios(string(figures))
	for _, r := range rows.Table {
		if r.Counted != "" && all[r.Counted] == 0 {
			t.Errorf("%s: %q is not counted", r.Title, r.Counted)
		}
	}
}
