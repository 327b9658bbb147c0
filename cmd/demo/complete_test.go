package main

import (
	"os"
	"strings"
	"testing"
)

func TestComplete(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"dir/inner", "with space"} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"dir/file one", "dir/file two", "яйцо", "яблоко", ".hidden"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ line, want, choices string }{
		{"hexd", "hexdump ", "hexdump"},
		{"c", "c", "cd|cat|cp"},
		{"nosuch", "nosuch", ""},
		{"ls d", "ls dir/", "dir"},
		{"ls dir", "ls dir/", "dir"},
		{"ls dir/i", "ls dir/inner/", "inner"},
		{"ls dir/f", `ls dir/file\ `, "file one|file two"},
		{`ls dir/file\ o`, `ls dir/file\ one `, "file one"},
		{"ls 'dir/f", "ls 'dir/f", ""},
		{"ls w", `ls with\ space/`, "with space"},
		{"ls я", "ls я", "яблоко|яйцо"},
		{"ls .h", "ls .hidden ", ".hidden"},
		{"ls x; pw", "ls x; pwd ", "pwd"},
		{"ls|hea", "ls|head ", "head"},
		{"ls >di", "ls >dir/", "dir"},
		{"ls nosuch/x", "ls nosuch/x", ""},
	} {
		done, choices := complete(c.line)
		var names []string
		for _, choice := range choices {
			names = append(names, choice.text)
		}
		if got := strings.Join(names, "|"); done != c.want || got != c.choices {
			t.Errorf("%q: got %q, %q, want %q, %q", c.line, done, got, c.want, c.choices)
		}
	}
}

func TestCompleterKeys(t *testing.T) {
	var list strings.Builder
	c := &completer{list: &list}
	if _, _, ok := c.key("c", 1, 'x'); ok {
		t.Error("another key was taken")
	}
	line, pos, ok := c.key("hex rest", 3, '\t')
	if line != "hexdump  rest" || pos != 8 || !ok {
		t.Errorf("got %q, %d, %v", line, pos, ok)
	}
	c.key("c", 1, '\t')
	if list.Len() > 0 {
		t.Errorf("the first Tab lists %q", &list)
	}
	c.key("c", 1, '\t')
	if want := "cd  cat  cp\n"; list.String() != want {
		t.Errorf("the second Tab lists %q, want %q", &list, want)
	}
}
