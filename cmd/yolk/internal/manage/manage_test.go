package manage

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/yolkos/yolk/cmd/yolk/internal/detached"
)

func TestTable(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var b bytes.Buffer
	err := writeTable(&b, []listed{
		{Info: detached.Info{Name: "job", Pid: 7, Program: []string{"job", "\x1b[31m"}}, State: "ended", End: &detached.End{At: now.Add(-3 * time.Hour), Status: 3}},
		{Info: detached.Info{Name: "lost", Pid: 8, Program: []string{strings.Repeat("x", 100)}}, State: "killed"},
		{Info: detached.Info{Name: "web", Pid: 123, Started: now.Add(-90 * time.Second), Program: []string{"server", "-v"}, Ports: []string{"8080:80", "53:53/udp"}}, State: "running"},
	}, now)
	want := `NAME   PID   STATE                PORTS                PROGRAM
job    -     ended (3), 3 h ago                        job ?[31m
lost   -     killed                                    ` + strings.Repeat("x", 59) + `…
web    123   running, 90 s        8080:80, 53:53/udp   server -v
`
	if err != nil || b.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, b.String(), want)
	}
}

func TestLastLines(t *testing.T) {
	entries := func() []detached.Entry {
		return []detached.Entry{{Stream: "stdout", Text: []byte("a\nb\n")}, {Stream: "stderr", Text: []byte("x\n")}, {Stream: "stdout", Text: []byte("c")}, {Stream: "stdout", Text: []byte("d\ne")}}
	}
	for n, want := range map[int]string{-1: "a\nb\nx\ncd\ne", 0: "", 1: "e", 2: "cd\ne", 3: "x\ncd\ne", 4: "b\nx\ncd\ne", 5: "a\nb\nx\ncd\ne", 100: "a\nb\nx\ncd\ne"} {
		got := ""
		for _, e := range lastLines(entries(), n) {
			got += string(e.Text)
		}
		if got != want {
			t.Errorf("the last %d lines: %q, want %q", n, got, want)
		}
	}
	var out bytes.Buffer
	p := &logPrinter{times: true, begun: map[detached.Stream]bool{}, outputs: map[detached.Stream]io.Writer{"stdout": &out, "stderr": &out}}
	for _, e := range entries() {
		if err := p.print(e); err != nil {
			t.Fatal(err)
		}
	}
	if lines := strings.Count(out.String(), " "); lines != 5 {
		t.Errorf("%d lines with a time, want 5: %q", lines, out.String())
	}
}
