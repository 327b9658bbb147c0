package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
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
	limit := r.limit
	if s.limit != 0 {
		limit = s.limit
	}
	for _, i := range todo {
		if err := r.copyModule(ctx, s.module, dir); err != nil {
			return err
		}
		start := time.Now()
		r.begin("%s", platforms[i])
		args := append([]string{"test", "-json", "-count=1", "-vet=off", "-p=2", "-timeout=" + limit.String()}, s.args...)
		// The limit of go test gives a trace of what hangs; ours is for a
		// machine that does not even get there.
		limited, cancel := context.WithTimeout(ctx, limit+buildLimit)
		cmd := r.goCommand(limited, dir, args...)
		if i != onLinux {
			guest := []string{"test", "--machine=" + platforms[i], "--cpus=2", "--accel=" + r.accel[i], "--mem=" + s.memory}
			cmd = exec.CommandContext(limited, r.yolk, append(guest, args[1:]...)...)
			cmd.Dir = dir
		}
		rec, err := r.tests(cmd, r.file(s, i, ".events"))
		if limited.Err() != nil && ctx.Err() == nil {
			rec, err = &record{Failure: fmt.Sprintf("did not end within %v", limit)}, nil
		}
		cancel()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		}
		rec.Seconds = time.Since(start).Seconds()
		if err := r.save(s, i, rec); err != nil {
			return err
		}
		r.end("%v in %.0f s", rec.counts(), rec.Seconds)
	}
	return nil
}

// tests runs go test, and keeps the events in a file for those who look for the
// cause of a failure. Tests that fail are a result, not an error.
func (r *runner) tests(cmd *exec.Cmd, file string) (*record, error) {
	events, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	defer events.Close()
	var complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = events, &complaints
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	if _, err := events.Seek(0, 0); err != nil {
		return nil, err
	}
	tests, err := gotest.ParseAll(events)
	rec := &record{Tests: tests}
	if len(tests) == 0 {
		rec.Failure = "no tests: " + strings.TrimSpace(complaints.String())
	}
	return rec, err
}

// buildOutput returns the first line of what the compiler said of a package that
// does not build, from the events of its suite.
func buildOutput(events []byte, pkg string) string {
	for line := range bytes.Lines(events) {
		var e struct{ ImportPath, Action, Output string }
		if json.Unmarshal(line, &e) == nil && e.Action == "build-output" && !strings.HasPrefix(e.Output, "#") {
			return strings.TrimSpace(e.Output)
		}
	}
	return ""
}

// counts is a cell of the table: the tests of all packages.
func (rec *record) counts() string {
	if rec == nil {
		return "not run"
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
