package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/yolkos/yolk/cmd/internal/gotest"
)

// platforms are the columns of the table, the one to compare with first.
var platforms = [3]string{onLinux, "microvm", "q35"}

const onLinux = "linux"

// platform is where tests run.
type platform struct {
	name  string
	accel string // of a guest
}

// runner runs tests and keeps what they said.
type runner struct {
	yolk      string // path of the yolk command
	cache     string // directory
	goVersion string // of the stock Go, as go1.26.8
	timeout   time.Duration
	again     bool
	progress  io.Writer
}

// all runs the tests of packages, those that the cache holds aside.
func (r *runner) all(ctx context.Context, p *platform, packages []string) error {
	for i, name := range packages {
		if !r.again {
			if have, err := r.cached(p.name, name); err != nil {
				return err
			} else if have != nil && have.Verdict != gotest.BuildFailed {
				continue
			}
		}
		fmt.Fprintf(r.progress, "%s %d/%d %s: ", p.name, i+1, len(packages), name)
		start := time.Now()
		if err := r.one(ctx, p, name); err != nil {
			fmt.Fprintln(r.progress, err)
			return err
		}
		res, err := r.cached(p.name, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(r.progress, "%v, %v\n", res, time.Since(start).Round(time.Second/10))
	}
	return nil
}

// one runs the tests of one package and puts their stream of events into the
// cache. Tests that fail are a result, not an error.
func (r *runner) one(ctx context.Context, p *platform, name string) error {
	file := r.file(p.name, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(file), "run-*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()

	// The limit of go test gives a trace of what hangs; ours is for a machine
	// that does not even get there, building included.
	limited, cancel := context.WithTimeout(ctx, r.timeout+5*time.Minute)
	defer cancel()
	args := []string{"test", "-short", "-json", "-count=1", "-timeout=" + r.timeout.String(), name}
	cmd := goCommand(limited, r.goVersion, args...)
	if p.name != onLinux {
		guest := []string{"test", "--machine=" + p.name, "--cpus=2", "--accel=" + p.accel}
		cmd = exec.CommandContext(limited, r.yolk, append(guest, args[1:]...)...)
	}
	cmd.Dir = filepath.Dir(file) // no module's: the kernel is that of the yolk command
	var complaints strings.Builder
	cmd.Stdout, cmd.Stderr = out, &complaints
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case limited.Err() != nil:
		// Counted as what it is: a package that did not end.
		line, _ := json.Marshal(gotest.Event{Action: gotest.TimedOut, Package: name})
		if _, err := fmt.Fprintf(out, "\n%s\n", line); err != nil {
			return err
		}
	case err != nil && !errors.As(err, &exit):
		return err
	}
	if info, err := out.Stat(); err != nil {
		return err
	} else if info.Size() == 0 {
		return fmt.Errorf("%s said nothing but %q", strings.Join(cmd.Args, " "), complaints.String())
	}
	return os.Rename(out.Name(), file)
}

// cached returns what the tests of a package said, or nil if they were not run
// yet.
func (r *runner) cached(where, name string) (*gotest.Result, error) {
	f, err := os.Open(r.file(where, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return gotest.Parse(f)
}

// file is where the cache holds the events of a package's tests.
func (r *runner) file(where, name string) string {
	return filepath.Join(r.cache, where, strings.ReplaceAll(name, "/", "_")+".json")
}
