package main

import (
	"os"
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/internal/gotest"
)

// TestKeep: a machine whose cache is empty keeps what the page says, marked, until
// it has measured anew, and then only what it has not.
func TestKeep(t *testing.T) {
	measured := &runner{dir: t.TempDir(), goVersion: "go1.2", guestVersion: "g", list: &list{}}
	empty := &runner{dir: t.TempDir(), goVersion: "go1.2", guestVersion: "g", list: &list{}}
	for _, r := range []*runner{measured, empty} {
		if err := r.makeDirs(); err != nil {
			t.Fatal(err)
		}
	}
	p := &program{name: "p", text: "p", does: "things", modules: []string{"example.com/p@v1"}, pkg: "example.com/p", steps: []step{{}}}
	q := &program{name: "q", text: "q", does: "others", modules: []string{"example.com/q@v1"}, pkg: "example.com/q", steps: []step{{}}}
	s := &suite{text: "s", module: "example.com/s@v2", packages: []string{"./..."}, flags: []string{"-run=A|B"}}
	l := &list{programs: []*program{p, q}, suites: []*suite{s}, reasons: []*reason{
		{item: "p", what: "1.stdout", text: "so"}, {item: "example.com/s", what: "Test_*", text: "and so"},
	}}
	// A name that does not fit its cell, and signs that Markdown takes for its own.
	long := "Test_" + strings.Repeat("long_", 30)
	tests := func(of gotest.Test) map[string]*gotest.Result {
		return map[string]*gotest.Result{"example.com/s": {Verdict: "pass", Tests: map[string]gotest.Test{"Test_A": of, long: of, "TestB": {}}}}
	}
	save := func(r *runner, it item, i int, rec record) {
		t.Helper()
		if err := r.save(it, i, &rec); err != nil {
			t.Fatal(err)
		}
	}
	page := func(r *runner, so *kept) string {
		t.Helper()
		text, complaints, err := r.report(l, so)
		if err != nil || len(complaints) > 0 {
			t.Fatal(err, complaints)
		}
		return string(text)
	}
	rows := func(text string) string {
		_, text, _ = strings.Cut(text, "## Programs")
		return text
	}
	read := func(text string) *kept {
		t.Helper()
		k, err := parsePage(text)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	for i := range platforms {
		out := "a\n"
		if i == 2 {
			out = "b | c\n"
		}
		save(measured, p, i, record{Image: 5e6, Steps: []outcome{{out, "", 0}}})
		if i < 2 {
			save(measured, q, i, record{Steps: []outcome{{"a\n", "", 0}}})
		}
		of := gotest.Test{}
		if i > 0 {
			of = gotest.Test{Outcome: gotest.Failed, Message: "got *x|y_z < 3"}
		}
		save(measured, s, i, record{Tests: tests(of)})
	}
	first := page(measured, &kept{})

	second := page(empty, read(first))
	if got := rows(strings.ReplaceAll(second, old, "")); got != rows(first) {
		t.Errorf("an empty cache has\n%s\nof\n%s", got, rows(first))
	}
	for _, want := range []string{"| 5 | same † | differs † |", "| same † | not run |", "| 3 / 0 / 0 † | 1 / 2 / 0 † | 1 / 2 / 0 † | 2, with reasons |",
		"2 programs have run in the guest, 1 of them on both machines, and 1 exactly as on Linux", "6 results, those marked †"} {
		if !strings.Contains(second, want) {
			t.Errorf("no %s in\n%s", want, second)
		}
	}
	if third := page(empty, read(second)); third != second {
		t.Errorf("kept once more it is\n%s\nof\n%s", third, second)
	}

	// What is measured anew is said of it, and nothing that was.
	save(empty, p, onLinux, record{Steps: []outcome{{"a\n", "", 0}}})
	save(empty, p, 2, record{Image: 6e6, Steps: []outcome{{"a\n", "", 0}}})
	save(empty, s, 0, record{Tests: tests(gotest.Test{})})
	save(empty, s, 1, record{Tests: tests(gotest.Test{})})
	third := page(empty, read(second))
	for _, want := range []string{"| 6 | same † | same |", "| 3 / 0 / 0 | 3 / 0 / 0 | 1 / 2 / 0 † | 2, with reasons |", `| example.com/s | Test\_A |  | failed |`} {
		if !strings.Contains(third, want) {
			t.Errorf("no %s in\n%s", want, third)
		}
	}
	if strings.Contains(third, "| p | 1.stdout") {
		t.Errorf("a difference that is no more is in\n%s", third)
	}

	// A difference that has lost its reason is a loss, kept or not.
	l.reasons = l.reasons[:1]
	text, complaints, err := empty.report(l, read(second))
	if err != nil || len(complaints) != 1 || !strings.Contains(complaints[0].Error(), "example.com/s@v2: 1 differences have no reason") {
		t.Errorf("%v, %v, page\n%s", complaints, err, text)
	}
	if again := read(string(text)); again.cells["p"] != [...]string{"", "same", "same"} || again.cells["example.com/s"][2] != "1 / 2 / 0" {
		t.Errorf("%+v of\n%s", again.cells, text)
	}
}

// TestKeepRefuses: a page that is not understood is not overwritten.
func TestKeepRefuses(t *testing.T) {
	name := t.TempDir() + "/page.md"
	if k, err := readPage(name); err != nil || len(k.cells) != 0 {
		t.Errorf("without a page: %v, %v", k, err)
	}
	if err := os.WriteFile(name, []byte("## Programs\n\n| a |\n|---|\n| p (x v1) | same |\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := readPage(name); err == nil || !strings.Contains(err.Error(), "line 5: 2 cells, want 6") {
		t.Errorf("%v, want the line", err)
	}
}

// TestKeepPage: the page of this repository is one that is kept whole, as far as
// the lists have its items.
func TestKeepPage(t *testing.T) {
	l, err := readList()
	if err != nil {
		t.Fatal(err)
	}
	so, err := readPage("../../" + defaultPage)
	if err != nil {
		t.Fatal(err)
	}
	if len(so.cells) < 100 || len(so.found) < 10 {
		t.Fatalf("the page has %d items, %d with differences", len(so.cells), len(so.found))
	}
	r := &runner{dir: t.TempDir(), list: l}
	if err := r.makeDirs(); err != nil {
		t.Fatal(err)
	}
	text, complaints, err := r.report(l, so)
	if err != nil || len(complaints) > 0 {
		t.Fatal(err, complaints)
	}
	again, err := parsePage(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range l.items() {
		name := suiteName(it.title())
		if again.cells[name] != so.cells[name] || again.sizes[name] != so.sizes[name] || len(again.found[name]) != len(so.found[name]) {
			t.Errorf("%s: %q %s %d differences, were %q %s %d", name,
				again.cells[name], again.sizes[name], len(again.found[name]), so.cells[name], so.sizes[name], len(so.found[name]))
			continue
		}
		for i, was := range so.found[name] {
			if is := again.found[name][i]; is != was {
				t.Errorf("%s: %+v, was %+v", name, is, was)
			}
		}
	}
}
