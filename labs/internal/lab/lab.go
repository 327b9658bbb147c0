// Package lab is what the programs of labs 2 to 6 have in common: each can show what
// it does, and check itself, on Linux with simulated devices and then in a guest with
// real ones.
package lab

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/yolkos/yolk/labs/internal/report"
)

// Program is the program of a lab.
type Program struct {
	Hosted func(r *report.Report) // checks the student's code with simulated devices
	Guest  func(r *report.Report) // and with the machine's
	Show   func() error           // does on the machine what the lab is about
}

// Main runs it, with the word check behind its name as a check. It does not return.
func (p *Program) Main() {
	switch {
	case slices.Contains(os.Args[1:], "check"):
		r := report.New(os.Stdout)
		if inGuest {
			Try(r, "", func() { p.Guest(r) })
		} else {
			limitHost()
			Try(r, "", func() { p.Hosted(r) })
		}
		fmt.Println(report.Done)
		if r.Failed() {
			os.Exit(1)
		}
	case !inGuest:
		fmt.Println("This program is for a machine of its own: make run boots it.")
	default:
		if err := p.Show(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(0)
}

// Try calls f, and reports it if it panics.
func Try(r *report.Report, hint string, f func()) {
	defer func() {
		if p := recover(); p != nil {
			r.Fail(fmt.Sprintf("the program panicked: %v", p), hint)
			r.Show(frames(string(debug.Stack())))
		}
	}()
	f()
}

// frames keeps of a stack trace the calls of package main, the student's.
func frames(trace string) string {
	lines := strings.Split(trace, "\n")
	var kept []string
	for i, l := range lines {
		if strings.HasPrefix(l, "main.") && i+1 < len(lines) {
			kept = append(kept, l, lines[i+1])
		}
	}
	if len(kept) == 0 {
		return trace
	}
	return strings.Join(kept, "\n")
}
