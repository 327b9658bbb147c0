package main

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"
)

func TestFiguresReadBack(t *testing.T) {
	want := figures{
		yolk:  map[string]float64{"tmpfs stat 1": 1347, "boot": 8176335, "ours": 3},
		linux: map[string]float64{"tmpfs stat 1": 3173, "theirs": 5},
		about: "6.1.0",
	}
	file := filepath.Join(t.TempDir(), "figures")
	if err := want.write(file); err != nil {
		t.Fatal(err)
	}
	got, err := readFigures(file)
	if err != nil || got.about != want.about || !maps.Equal(got.yolk, want.yolk) || !maps.Equal(got.linux, want.linux) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestCompare(t *testing.T) {
	old := figures{yolk: map[string]float64{"a": 1000, "b": 1000, "c": 10, "gone": 5, "virtio-fs open+close": 10}}
	now := figures{yolk: map[string]float64{"a": 1020, "b": 1022, "c": 11, "new": 7, "virtio-fs open+close": 1000}}
	err := compare(old, now)
	if err == nil {
		t.Fatal("nothing is found")
	}
	for name, want := range map[string]bool{"a: ": false, "b: ": true, "c: ": false, "gone: ": true, "new: ": false, "open+close": false} {
		if strings.Contains(err.Error(), name) != want {
			t.Errorf("%q told: %v; want %v: %v", name, !want, want, err)
		}
	}
}

// TestSections: every row is in one table of the page.
func TestSections(t *testing.T) {
	f, err := readFigures(filepath.Join("..", "..", "..", figuresFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range f.names() {
		n := 0
		for _, s := range sections() {
			if s.has(name) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is in %d tables", name, n)
		}
	}
}
