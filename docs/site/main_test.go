package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPrepare: each page goes where the links to it lead, with its title, and its pictures
// with it.
func TestPrepare(t *testing.T) {
	dir := t.TempDir()
	if err := prepare("../..", dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"content/_index.md":                "---\ntitle: \"Yolk\"\nfile: README.md\n---\n# Yolk\n",
		"content/docs/ARCHITECTURE.md":     "title: \"Architecture\"\nfile: docs/ARCHITECTURE.md\n",
		"content/labs/1/_index.md":         "file: labs/1/README.md\n",
		"hugo.toml":                        "uglyURLs = true",
		"layouts/baseof.html":              "search.js",
		"static/docs/benchmarks-ratio.svg": "<svg",
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, and no %q in %.100q", name, err, want, text)
		}
	}
}

func TestLinks(t *testing.T) {
	got := links(`<a href="a.html#x">, <img src="b.svg">, <a href="https://c">, <a href="mailto:d"> <a href="#e">`)
	if want := []string{"a.html#x", "#e", "b.svg"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestCheckLinks: a link that leads nowhere is found.
func TestCheckLinks(t *testing.T) {
	for text, want := range map[string]string{
		`<h1 id="a"></h1><a href="other.html#b">`: "",
		`<a href="#a">`:           "no such heading",
		`<a href="other.html#c">`: "no such heading",
		`<a href="third.html">`:   "no such file",
	} {
		dir := t.TempDir()
		for i := range 10 {
			name := filepath.Join(dir, string(rune('0'+i))+".html")
			if err := write(name, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := write(filepath.Join(dir, "other.html"), []byte(`<h2 id=b>`)); err != nil {
			t.Fatal(err)
		}
		if err := write(filepath.Join(dir, "page.html"), []byte(text)); err != nil {
			t.Fatal(err)
		}
		err := checkLinks(dir)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
