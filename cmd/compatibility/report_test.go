package main

import (
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/internal/gotest"
)

// TestReport: what differs needs a reason, and a reason something that differs;
// both once all items have run everywhere.
func TestReport(t *testing.T) {
	r := &runner{dir: t.TempDir(), goVersion: "go1.2", guestVersion: "g", list: &list{}}
	if err := r.makeDirs(); err != nil {
		t.Fatal(err)
	}
	p := &program{name: "p", text: "p", does: "things", modules: []string{"example.com/p@v1"}, pkg: "example.com/p", steps: []step{{}}}
	s := &suite{text: "s", module: "example.com/s@v2", packages: []string{"./..."}}
	l := &list{programs: []*program{p}, suites: []*suite{s}}

	passed, failed := gotest.Test{}, gotest.Test{Outcome: gotest.Failed, Message: "why"}
	tests := func(verdict string, a, b gotest.Test) map[string]*gotest.Result {
		return map[string]*gotest.Result{
			"example.com/s":     {Verdict: "pass", Tests: map[string]gotest.Test{"TestA": a, "TestB": b}},
			"example.com/s/sub": {Verdict: verdict, Tests: map[string]gotest.Test{"TestC": passed}},
		}
	}
	save := func(it item, i int, rec record) {
		t.Helper()
		if err := r.save(it, i, &rec); err != nil {
			t.Fatal(err)
		}
	}
	check := func(wantPage []string, want ...string) {
		t.Helper()
		for _, r := range l.reasons {
			r.used = false
		}
		page, complaints, err := r.report(l, &kept{})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range wantPage {
			if !strings.Contains(string(page), text) {
				t.Errorf("no %s in\n%s", text, page)
			}
		}
		if len(complaints) != len(want) {
			t.Errorf("complaints %v, want %v", complaints, want)
			return
		}
		for i, c := range complaints {
			if !strings.Contains(c.Error(), want[i]) {
				t.Errorf("complaint %v, want %v", c, want[i])
			}
		}
	}

	// Nothing has run: nothing is known of reasons.
	l.reasons = []*reason{{item: "p", what: "gone", text: "x"}}
	check([]string{"| not run | not run |"})

	save(p, onLinux, record{Steps: []outcome{{"a\n", "", 0}}})
	save(s, onLinux, record{Tests: tests("pass", passed, passed)})
	l.reasons = nil
	save(p, 1, record{Steps: []outcome{{"a\n", "", 0}}})
	check([]string{"| same | not run |", "1 programs have run in the guest, 0 of them on both machines, and 1 exactly as on Linux"})
	l.reasons = []*reason{{item: "p", what: "gone", text: "x"}}
	for i := 1; i < len(platforms); i++ {
		save(p, i, record{Steps: []outcome{{"a\n", "", 0}}})
		save(s, i, record{Tests: tests("pass", passed, passed)})
	}
	check([]string{"| same | same |", "| none |", "1 programs have run in the guest, 1 of them on both machines, and 1 exactly as on Linux"}, "p, gone: does not differ")

	// A difference on one machine type is one.
	l.reasons = nil
	save(p, 2, record{Steps: []outcome{{"b\n", "", 0}}})
	save(s, 1, record{Tests: tests("pass", failed, passed)})
	check([]string{"differs", "**LOSS**", "why"}, "p: 1 differences", "example.com/s@v2: 1 differences have no reason in reasons.txt; the first is TestA: why")

	l.reasons = []*reason{{item: "p", what: "1.stdout", text: "so"}, {item: "example.com/s", what: "Test*", text: "and so"}}
	check([]string{"| so |", "| and so |", "1, with reasons"})

	// A package that does not build is one loss, not one for each test.
	broken := tests(gotest.BuildFailed, passed, passed)
	broken["example.com/s/sub"].Tests = nil
	save(s, 1, record{Tests: broken})
	l.reasons[1] = &reason{item: "example.com/s", what: "sub.build", text: "cgo"}
	check([]string{"| cgo |", "1 packages do not build"})

	// Packages of which nothing is heard are lost with all their tests.
	save(s, 1, record{Tests: map[string]*gotest.Result{}})
	check([]string{"| TestA |", "| TestB |", "| sub.TestC |"}, "s@v2: 3 differences", "sub.build: does not differ")
	save(s, 1, record{Failure: "did not end", Seconds: 60, CPU: 30})
	check([]string{"1 of the 6 results", "took 0 minutes of processor time", "here, it took 1 minutes"}, "the first is end: did not end", "sub.build: does not differ")

	// Many tests that a package did not come to are one difference.
	many := map[string]gotest.Test{"TestZ": failed}
	all := map[string]gotest.Test{"TestZ": passed}
	for _, name := range strings.Fields("TestA TestB TestC TestD TestE") {
		all[name] = passed
	}
	save(s, onLinux, record{Tests: map[string]*gotest.Result{"example.com/s": {Verdict: "pass", Tests: all}}})
	save(s, 1, record{Tests: map[string]*gotest.Result{"example.com/s": {Verdict: "fail", Tests: many}}})
	check([]string{"| TestZ |", "| end | not run |", "5 tests did not begin, from TestA on"}, "s@v2: 2 differences", "sub.build: does not differ")
	save(s, onLinux, record{Tests: tests("pass", passed, passed)})
	save(s, 1, record{Failure: "did not end", Seconds: 60, CPU: 30})

	// What is of another build says so.
	r.guestVersion = "h"
	check([]string{"4 results, those marked †", "did not end †", "| same † |", "| 3 / 0 / 0 † |"}, "the first is end: did not end", "sub.build: does not differ")
	r.guestVersion = "g"
	check([]string{"did not end"}, "the first is end: did not end", "sub.build: does not differ")
}

// TestCache: results are known again as long as the versions and the item's
// text are those that they are of.
func TestCache(t *testing.T) {
	r := &runner{dir: t.TempDir(), goVersion: "go1.2", guestVersion: "g"}
	if err := r.makeDirs(); err != nil {
		t.Fatal(err)
	}
	p := &program{name: "p", text: "one"}
	for i := range platforms {
		if rec, current, err := r.cached(p, i); rec != nil || current || err != nil {
			t.Fatal(rec, current, err)
		}
		if err := r.save(p, i, &record{Steps: []outcome{{"out", "err", 3}}}); err != nil {
			t.Fatal(err)
		}
		if rec, current, err := r.cached(p, i); !current || err != nil || rec.Steps[0].Status != 3 {
			t.Fatal(rec, current, err)
		}
	}
	known := func() (list [len(platforms)]bool) {
		for i := range platforms {
			_, list[i], _ = r.cached(p, i)
		}
		return list
	}
	r.guestVersion = "h"
	if got := known(); got != [len(platforms)]bool{true} {
		t.Errorf("another kernel: %v", got)
	}
	r.guestVersion, p.text = "g", "two"
	if got := known(); got != [len(platforms)]bool{} {
		t.Errorf("another text: %v", got)
	}
}
