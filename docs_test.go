package yolk

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReliability: the tests that docs/RELIABILITY.md names are there, in the
// packages that it names.
func TestReliability(t *testing.T) {
	page, err := os.ReadFile("docs/RELIABILITY.md")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string][]string{} // the directories that have a test
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err = filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		data, err := os.ReadFile(name)
		for _, m := range function.FindAllStringSubmatch(string(data), -1) {
			have[m[1]] = append(have[m[1]], filepath.Dir(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	word := regexp.MustCompile("`([^`]+)`")
	promises := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 || !strings.Contains(cells[2], "`") {
			continue
		}
		promises++
		var tests []string
		for _, m := range word.FindAllStringSubmatch(cells[2], -1) {
			if strings.HasPrefix(m[1], "Test") || strings.HasPrefix(m[1], "Fuzz") {
				tests = append(tests, m[1])
				continue
			}
			for _, test := range tests { // those before a package are in it
				if !slices.Contains(have[test], m[1]) {
					t.Errorf("no %s in %s", test, m[1])
				}
			}
			tests = nil
		}
		for _, test := range tests { // named before in the table
			if len(have[test]) == 0 {
				t.Errorf("no test %s", test)
			}
		}
	}
	if promises < 20 {
		t.Errorf("%d promises found in the page", promises)
	}
}
