package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// comments returns the lines of a directory's programs that are comments and nothing
// else.
func comments(t *testing.T, dir string) (lines []string) {
	t.Helper()
	for _, pattern := range []string{"*.go", "*.s"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for s := bufio.NewScanner(f); s.Scan(); {
				if line := strings.TrimSpace(s.Text()); strings.HasPrefix(line, "//") {
					lines = append(lines, line)
				}
			}
		}
	}
	return lines
}

// TestSkeletonsAndSolutions: a skeleton and its solution say the same, and each TODO
// has a step on the lab's page.
func TestSkeletonsAndSolutions(t *testing.T) {
	for n := range labs {
		skeleton, solution := comments(t, fmt.Sprintf("../%d", n)), comments(t, fmt.Sprintf("../solutions/%d", n))
		if !slices.Equal(skeleton, solution) {
			t.Errorf("lab %d: the comments of skeleton and solution differ:\n%q\n%q", n, skeleton, solution)
		}
		page, err := os.ReadFile(fmt.Sprintf("../%d/README.md", n))
		if err != nil {
			t.Fatal(err)
		}
		todos := regexp.MustCompile(`TODO \d`)
		found := todos.FindAllString(strings.Join(skeleton, "\n"), -1)
		if len(found) < 4 {
			t.Errorf("lab %d has %d TODOs", n, len(found))
		}
		for _, todo := range found {
			if !strings.Contains(string(page), "("+todo) {
				t.Errorf("lab %d: no step for %s on the page", n, todo)
			}
		}
	}
}
