package main

import (
	"strings"
	"testing"
	"time"
)

// What go test -json prints comes out as go test prints it, with times, and the sum names what
// was slow and what was not over.
func TestRecord(t *testing.T) {
	var out strings.Builder
	r := newRecord(&out)
	for i, line := range []string{
		`go build -o bin/yolk`,
		`{"Action":"start","Package":"p"}`,
		`{"Action":"start","Package":"q"}`,
		`{"Action":"run","Package":"p","Test":"TestA"}`,
		`{"Action":"run","Package":"q","Test":"TestB"}`,
		`{"Action":"output","Package":"p","Test":"TestA","Output":"noise\n"}`,
		`{"Action":"output","Package":"q","Test":"TestB","Output":"    b_test.go:1: wrong\n"}`,
		`{"Action":"output","Package":"p","Test":"TestA","Output":"--- PASS: TestA (0.00s)\n"}`,
		`{"Action":"pass","Package":"p","Test":"TestA"}`,
		`{"Action":"output","Package":"p","Output":"PASS\n"}`,
		`{"Action":"output","Package":"p","Output":"ok  \tp\t1.0s\n"}`,
		`{"Action":"pass","Package":"p"}`,
		`{"Action":"output","Package":"q","Test":"TestB","Output":"--- FAIL: TestB (0.00s)\n"}`,
		`{"Action":"fail","Package":"q","Test":"TestB"}`,
		`{"Action":"run","Package":"q","Test":"TestC"}`,
		`{"Action":"output","Package":"q","Test":"TestC","Output":"half\n"}`,
		`{"Action":"output","Package":"q","Output":"FAIL\n"}`,
		`{"Action":"fail","Package":"q"}`,
		`{"brace": "of a program"}`,
	} {
		r.line(time.Duration(i)*10*time.Second, line)
	}
	r.finish(4 * time.Minute)
	r.finish(5 * time.Minute)
	const want = ` 0:00 go build -o bin/yolk
 1:50 ok  	p	1.0s
 2:50     b_test.go:1: wrong
 2:50 --- FAIL: TestB (0.00s)
 2:50 half
 2:50 FAIL
 3:00 {"brace": "of a program"}
 4:00 still running, for 100 s: q TestC
 4:00  150 s q 
 4:00  100 s p 
 4:00   90 s q TestB
 4:00   50 s p TestA
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestRun(t *testing.T) {
	for script, want := range map[string]int{
		"echo a; echo b >&2; exit 3":   3,
		"echo a; kill -TERM $$":        143,
		"printf a; exec >&- 2>&-":      0,
		"(sleep 60 & echo a); exit 4":  4, // what it leaves holds the pipe
		"printf '%100000s' a; echo; :": 0,
	} {
		var out strings.Builder
		status, err := run([]string{"sh", "-c", script}, &out)
		if status != want || err != nil || !strings.Contains(out.String(), "a") {
			t.Errorf("%s: status %d, want %d, error %v, printed %.100q", script, status, want, err, out.String())
		}
	}
	if _, err := run([]string{"/nonexistent"}, &strings.Builder{}); err == nil {
		t.Error("a command that is not there: no error")
	}
}
