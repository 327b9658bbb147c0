package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/yolkos/yolk/labs/internal/report"
)

// yolk is the command that boots the labs.
var yolk = "bin/yolk"

// guestLimit ends a guest that hangs, hostLimit a program; on a busy machine both
// take their time.
const (
	guestLimit = "5m"
	hostLimit  = 5 * time.Minute
)

// checkProgram is the check of labs 2 to 6: the program checks itself, on Linux with
// simulated devices, and if that is right in a guest.
func checkProgram(l *lab, dir string, r *report.Report) error {
	tmp, err := os.MkdirTemp("", "yolk-lab-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	program := filepath.Join(tmp, "program")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "./"+dir)
	if out, err := build.CombinedOutput(); err != nil {
		r.Fail("the program cannot be built:", "the compiler names file and line.")
		r.Show(string(out))
		return nil
	}
	r.OK("the program is built")
	ctx, cancel := context.WithTimeout(context.Background(), hostLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "check").CombinedOutput()
	r.Adopt(string(out))
	if explain(r, string(out), err) || r.Failed() {
		return nil
	}
	if l.host != nil {
		return l.host(l, dir, r)
	}
	out, err = l.command(dir, []string{"--timeout", guestLimit}, "check").CombinedOutput()
	r.Adopt(string(out))
	explain(r, string(out), err)
	return nil
}

// bootProgram boots the lab and shows what it prints.
func bootProgram(l *lab, dir string, w io.Writer) error {
	cmd := l.command(dir, nil)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, w, w
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		fmt.Fprintf(w, "[the program has ended with status %d]\n", exit.ExitCode())
		return nil
	}
	return err
}

// command boots the lab, with further options. The machine ends with this process.
func (l *lab) command(dir string, options []string, args ...string) *exec.Cmd {
	list := slices.Concat([]string{"run", "-q"}, options, l.options, []string{"./" + dir}, args)
	cmd := exec.Command(yolk, list...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	return cmd
}

// deaths are ways in which a program ends before it could say what is wrong, the first one that it has used up its time.
var deaths = []struct {
	text *regexp.Regexp
	what string
	hint string
}{
	{regexp.MustCompile(`(?m)^` + report.OverTime), "the program does not come to an end.", "which loop never ends? The trace has the function that it was in."},
	{regexp.MustCompile(`stack overflow|stack exceeds`), "a function calls itself without end.", "when does the recursion stop?"},
	{regexp.MustCompile(`all goroutines are asleep`), "the program waits for something that never comes.", "the trace has the function that waits."},
	{regexp.MustCompile(`(?m)^panic: |fatal error: |unexpected fault`), "the program crashed.", "the trace has the function and the line."},
	{regexp.MustCompile(`yolk: ended after .*, the time limit`), "the guest did not come to an end.", "is there a loop that waits for a device which was never notified, or which has nothing to answer?"},
}

// explain reports how a program ended, if it did not end by itself with a verdict.
func explain(r *report.Report, out string, err error) bool {
	var exit *exec.ExitError
	if strings.Contains(out, report.Done) && (err == nil || errors.As(err, &exit) && exit.ExitCode() == 1 && r.Failed()) {
		return false
	}
	if err == nil {
		r.Fail("the program ended before its check did.", "does something in it call os.Exit?")
		return true
	}
	// The system kills what goes on for some seconds after its time is over.
	killed := errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
	for i, d := range deaths {
		if d.text.MatchString(out) || killed && i == 0 {
			r.Fail(d.what, d.hint)
			r.Show(head(out, 24))
			return true
		}
	}
	r.Fail(fmt.Sprintf("the program could not be run: %v", err), "")
	r.Show(head(out, 24))
	return true
}

// head keeps the first lines of a text.
func head(text string, n int) string {
	lines := bytes.SplitAfterN([]byte(text), []byte("\n"), n+1)
	return strings.TrimRight(string(bytes.Join(lines[:min(n, len(lines))], nil)), "\n")
}
