package main

import (
	"fmt"
	"maps"
	"math"
	"os"
	"strings"
	"testing"
)

// TestTraced: what is too much dearer with a trace is told of, and what was not counted.
func TestTraced(t *testing.T) {
	all := map[string]traced{}
	for i := range 40 {
		all[fmt.Sprint("row ", i)] = traced{1000, 1150}
	}
	if err := checkTraced(all, traceNoise); err != nil {
		t.Error(err)
	}
	all["row 7"], all["row 8"] = traced{1000, 1170}, traced{1000, math.Inf(1)}
	err := checkTraced(all, traceNoise)
	for _, want := range []string{"row 7: 1000 instructions, and 1170 with --trace: 17.0 % more, at most 15", "row 8: was counted"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	if err := checkTraced(nil, 1); err == nil {
		t.Error("nothing was counted, and that is no error")
	}
}

// TestBetter: a row counts as in the round in which it is less dear, and one that was counted half does not.
func TestBetter(t *testing.T) {
	all := map[string]traced{}
	half := traced{math.Inf(1), 1000}
	for _, round := range []map[string]traced{
		{"a": {1000, 1200}, "b": {1000, 1100}, "c": half, "d": {1000, 1100}},
		{"a": {1100, 1210}, "b": {900, 1080}, "c": {1000, 1140}, "d": half},
	} {
		better(all, round)
	}
	want := map[string]traced{"a": {1100, 1210}, "b": {1000, 1100}, "c": {1000, 1140}, "d": {1000, 1100}}
	if !maps.Equal(all, want) {
		t.Errorf("%v, want %v", all, want)
	}
}

// TestWriteTraced: the page has a table, with the rows that are to be there.
func TestWriteTraced(t *testing.T) {
	page, err := os.ReadFile("../../../" + tracePage)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]traced{}
	for i, name := range traceRows {
		all[name] = traced{1000, 1000 + float64(i)*10}
	}
	got, err := writeTraced(string(page), all)
	if err != nil || !strings.Contains(got, "\n| tmpfs stat 1 | 1000 | 1000 | 0 % |\n| tmpfs stat 4 | 1000 | 1010 | 1 % |\n") {
		t.Errorf("%v in %s", err, got)
	}
	again, err := writeTraced(got, all)
	if err != nil || again != got {
		t.Errorf("the table is not replaced: %v", err)
	}
	delete(all, "getcwd")
	if _, err := writeTraced(got, all); err == nil || !strings.Contains(err.Error(), "getcwd") {
		t.Errorf("without getcwd: %v", err)
	}
	if _, err := writeTraced("# Traces\n", all); err == nil {
		t.Error("a page without a table")
	}
}
