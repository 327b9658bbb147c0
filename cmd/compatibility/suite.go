package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/yolkos/yolk/cmd/internal/gotest"
)

// suite runs the tests of a module on platforms, each time in a new copy of the
// module.
func (r *runner) suite(ctx context.Context, s *suite, todo []int) error {
	path, _, _ := strings.Cut(s.module, "@")
	dir := filepath.Join(r.work(), "suite", filepath.Base(path))
	for _, i := range todo {
		if err := r.copyModule(ctx, s.module, dir); err != nil {
			return err
		}
		start := begin()
		r.begin("%s", platforms[i])
		events, err := os.Create(r.file(s, i, ".events"))
		if err != nil {
			return err
		}
		defer events.Close()
		rec, err := r.tests(ctx, s, i, dir, s.packages, nil, events)
		if err != nil {
			return err
		}
		if i != onLinux && rec.Failure == "" {
			if err := r.second(ctx, s, i, dir, rec, events); err != nil {
				return err
			}
		}
		start.end(rec)
		if err := r.save(s, i, rec); err != nil {
			return err
		}
		r.end("%v in %.0f s", rec.counts(), rec.Seconds)
	}
	return nil
}

// second gives the tests that pass on Linux only, and have no reason to, a second
// chance without the others: what there is a reason for may have ended them, too.
func (r *runner) second(ctx context.Context, s *suite, i int, dir string, rec *record, events io.Writer) error {
	linux, _, err := r.cached(s, onLinux)
	if linux == nil || err != nil {
		return err
	}
	for _, pkg := range slices.Sorted(maps.Keys(rec.Tests)) {
		res := rec.Tests[pkg]
		names := r.unexplained(s, pkg, linux.Tests[pkg], res)
		if len(names) == 0 || res.Verdict == gotest.BuildFailed {
			continue
		}
		run := []string{"-run=^(" + strings.Join(names, "|") + ")$"}
		again, err := r.tests(ctx, s, i, dir, []string{pkg}, run, events)
		if err != nil {
			return err
		}
		merge(res, again.Tests[pkg])
	}
	return nil
}

// unexplained lists the tests that pass on Linux only and have no reason to, as
// regular expressions.
func (r *runner) unexplained(s *suite, pkg string, linux, guest *gotest.Result) (names []string) {
	path, _, _ := strings.Cut(s.module, "@")
	for _, e := range gotest.Exceptions(pkg, linux, guest) {
		if e.Guests[0].Outcome > gotest.Skipped && r.list.reason(path, below(path, pkg, e.Test)) == nil {
			names = append(names, regexp.QuoteMeta(e.Test))
		}
	}
	return names
}

// merge puts what passed at a second run into the result of the first.
func merge(res, again *gotest.Result) {
	if again == nil {
		return
	}
	for name, t := range again.Tests {
		if t.Outcome == gotest.Passed || t.Outcome == gotest.Skipped {
			res.Tests[name] = t
		}
	}
	if _, failed, _ := res.Count(); failed == 0 && again.Verdict == "pass" {
		res.Verdict = again.Verdict
	}
}

// tests runs go test on packages, and adds the events to those that are kept for
// whoever looks for the cause of a failure. Tests that fail are a result, not an
// error.
func (r *runner) tests(ctx context.Context, s *suite, i int, dir string, packages, flags []string, events io.Writer) (*record, error) {
	limit := r.limit
	if s.limit != 0 {
		limit = s.limit
	}
	args := slices.Concat([]string{"test", "-json", "-count=1", "-vet=off", "-p=2", "-timeout=" + limit.String()}, s.flags, flags, packages)
	// The limit of go test gives a trace of what hangs; ours is for a machine
	// that does not even get there.
	limited, cancel := context.WithTimeout(ctx, limit+buildLimit)
	defer cancel()
	cmd := r.goCommand(limited, dir, args...)
	cmd.Env = append(cmd.Env, s.env...)
	if i != onLinux {
		guest := []string{"test", "--machine=" + platforms[i], "--cpus=2", "--accel=" + r.accel[i], "--mem=" + s.memory}
		for _, v := range s.env {
			guest = append(guest, "--env="+v)
		}
		cmd = exec.CommandContext(limited, r.yolk, append(guest, args[1:]...)...)
		cmd.Dir = dir
	}
	var said, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(events, &said), &complaints
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case limited.Err() != nil:
		return &record{Failure: fmt.Sprintf("did not end within %v", limit+buildLimit)}, nil
	case err != nil && !errors.As(err, &exit):
		return nil, err
	}
	rec := &record{}
	if rec.Tests, err = gotest.ParseAll(&said); err == nil && len(rec.Tests) == 0 {
		rec.Failure = "no tests: " + strings.TrimSpace(complaints.String())
	}
	return rec, err
}

// buildOutput returns the first line of what the compiler said of a package
// whose tests do not build, from the events of its suite.
func buildOutput(events []byte, pkg string) (text string) {
	said := map[string]string{} // by the package that does not compile
	for line := range bytes.Lines(events) {
		var e struct{ ImportPath, Package, FailedBuild, Action, Output string }
		if json.Unmarshal(line, &e) != nil {
			continue
		}
		if e.Action == "build-output" && said[e.ImportPath] == "" && !strings.HasPrefix(e.Output, "#") {
			said[e.ImportPath] = strings.TrimSpace(e.Output)
		}
		if e.Package == pkg && e.FailedBuild != "" {
			return said[e.FailedBuild]
		}
	}
	return ""
}

// counts is a cell of the table: the tests of all packages.
func (rec *record) counts() string {
	if rec == nil {
		return notRun
	}
	if rec.Failure != "" {
		return rec.Failure
	}
	var all gotest.Result
	broken := 0
	for _, name := range slices.Sorted(maps.Keys(rec.Tests)) {
		all.Include(name, rec.Tests[name])
		if rec.Tests[name].Verdict == gotest.BuildFailed {
			broken++
		}
	}
	if broken > 0 {
		return fmt.Sprintf("%v, %d packages do not build", &all, broken)
	}
	return all.String()
}
