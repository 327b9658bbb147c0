package page

import "testing"

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
