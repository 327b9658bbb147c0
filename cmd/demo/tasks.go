package main

import (
	"runtime"
	"strings"
)

// goroutine is one that runs, as runtime.Stack describes it.
type goroutine struct {
	id, state, since string
	function         string // the one of this program, or of others, that it is in
	creator          string // what started it; empty for main's
}

// goroutines lists all of them, the one that asks first.
func goroutines() (list []goroutine) {
	buf := make([]byte, 64<<10)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	for text := range strings.SplitSeq(strings.TrimSpace(string(buf)), "\n\n") {
		list = append(list, parseGoroutine(text))
	}
	return list
}

// parseGoroutine reads
//
//	goroutine 7 [chan receive, 3 minutes]:
//	main.f(...)
//		/dir/file.go:12 +0x34
//	created by main.g in goroutine 1
func parseGoroutine(text string) (g goroutine) {
	lines := strings.Split(text, "\n")
	id, state, _ := strings.Cut(strings.TrimPrefix(lines[0], "goroutine "), "[")
	g.id = strings.TrimSpace(id)
	state, _, _ = strings.Cut(state, "]")
	g.state, g.since, _ = strings.Cut(state, ", ")
	for _, line := range lines[1:] {
		if creator, ok := strings.CutPrefix(line, "created by "); ok {
			g.creator, _, _ = strings.Cut(creator, " in goroutine ")
		} else if !strings.HasPrefix(line, "\t") && g.function == "" {
			g.function = functionName(line)
		}
	}
	return g
}

// functionName takes the arguments off a call.
func functionName(call string) string {
	if i := strings.LastIndexByte(call, '('); i > 0 {
		return call[:i]
	}
	return call
}

func ps(p *process, args []string) error {
	f := p.flags()
	all := f.BoolP("all", "a", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	rows := [][]string{{p.paint("1", "ID"), p.paint("1", "STATE"), p.paint("1", "FOR"), p.paint("1", "FUNCTION"), p.paint("1", "STARTED BY")}}
	for _, g := range goroutines() {
		if *all || !strings.HasPrefix(g.function, "runtime.") {
			rows = append(rows, []string{g.id, g.state, g.since, g.function, g.creator})
		}
	}
	p.table(rows, "0")
	return nil
}
