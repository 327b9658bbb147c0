package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestMan: each command that the help shows has a manual page with its options, and the
// others have none.
func TestMan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	t.Setenv("SOURCE_DATE_EPOCH", "1000000000")
	cmd := root()
	cmd.SetArgs([]string{"man", "--into", dir})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	shown, list := 1, cmd.Commands() // yolk itself
	for len(list) > 0 {
		c := list[0]
		list = append(list[1:len(list):len(list)], c.Commands()...)
		name := filepath.Join(dir, strings.ReplaceAll(c.CommandPath(), " ", "-")+".1")
		if !c.IsAvailableCommand() || c.IsAdditionalHelpTopicCommand() {
			continue
		}
		shown++
		page, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
			continue
		}
		text := strings.ReplaceAll(string(page), `\-`, "-")
		if !strings.Contains(text, c.Short) || !strings.Contains(text, `"Sep 2001"`) {
			t.Errorf("%s: no %q, or another date: %.300s", name, c.Short, text)
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(text, "--"+f.Name) {
				t.Errorf("%s: no --%s", name, f.Name)
			}
		})
	}
	if len(names) != shown {
		t.Errorf("%d pages for %d commands: %q", len(names), shown, names)
	}
	for _, args := range [][]string{{"man"}, {"man", "x"}} {
		cmd := root()
		cmd.SetArgs(args)
		if err := cmd.Execute(); err == nil {
			t.Errorf("yolk %q succeeds", args)
		}
	}
}
