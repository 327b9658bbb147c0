package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// runner runs items and keeps what they did.
type runner struct {
	yolk         string // path of the yolk command
	dir          string // of all that is kept
	list         *list
	lock         *os.File
	goVersion    string // of the stock Go, as go1.26.8
	guestVersion string // of toolchain and kernel
	on           [len(platforms)]bool
	accel        [len(platforms)]string
	again        bool
	limit        time.Duration
	progress     io.Writer
	head         string // of lines of progress
	begun        bool   // such a line
}

// buildLimit is how long a build may take, with nothing built before.
const buildLimit = 20 * time.Minute

// item runs an item where what it does is not known.
func (r *runner) item(ctx context.Context, it item) error {
	var todo []int
	for i := range platforms {
		_, current, err := r.cached(it, i)
		if err != nil {
			return err
		}
		if r.on[i] && (r.again || !current) {
			todo = append(todo, i)
		}
	}
	if len(todo) == 0 {
		return nil
	}
	defer os.RemoveAll(r.work())
	if s, ok := it.(*suite); ok {
		return r.suite(ctx, s, todo)
	}
	return r.program(ctx, it.(*program), todo)
}

// work is the directory of what is of no use after a run.
func (r *runner) work() string { return filepath.Join(r.dir, "work") }

// program runs a program on platforms.
func (r *runner) program(ctx context.Context, p *program, todo []int) error {
	r.begin("modules")
	module, err := r.module(ctx, p)
	if err != nil {
		return err
	}
	r.end("there")
	image := "" // for all guests
	var failed error
	for _, i := range todo {
		start := begin()
		r.begin("%s", platforms[i])
		if i == onLinux || image == "" && failed == nil {
			if image, failed = r.build(ctx, p, module, i); ctx.Err() != nil {
				return context.Cause(ctx)
			} else if errors.Is(failed, errSlow) {
				return failed // the machine is busy, which tells nothing of the program
			}
		}
		built := time.Since(start.at)
		r.say("built in %.0f s", built.Seconds())
		rec := &record{}
		if failed != nil {
			rec.Failure = "build: " + failed.Error()
		} else if err := r.runs(ctx, p, image, i, rec); err != nil {
			return err
		}
		start.end(rec)
		if i == onLinux {
			if rec.Failure != "" {
				return errors.New(rec.Failure)
			}
			if err := r.steady(ctx, p, image, rec); err != nil {
				return err
			}
			image = ""
		}
		if err := r.save(p, i, rec); err != nil {
			return err
		}
		result := "ran"
		if rec.Failure != "" {
			result = rec.Failure
		} else if i != onLinux {
			result = r.verdict(p, i)
		}
		r.end("ran in %.0f s: %s", rec.Seconds-built.Seconds(), result)
	}
	return nil
}

// verdict tells in a line how a guest's run compares with that on Linux.
func (r *runner) verdict(p *program, i int) string {
	var both [2]*record
	for j, where := range []int{onLinux, i} {
		rec, _, err := r.cached(p, where)
		if err != nil || rec == nil {
			return "not compared"
		}
		both[j] = rec
	}
	found := compare(p, both[0], both[1])
	if len(found) == 0 {
		return "same as on Linux"
	}
	var text strings.Builder
	for _, d := range found {
		fmt.Fprintf(&text, "\n  %s: %s", d.what, d.text)
	}
	return text.String()
}

// steady runs a program once more on Linux: what differs there needs a mask,
// and what fails is a mistake in the program's file.
func (r *runner) steady(ctx context.Context, p *program, image string, rec *record) error {
	for i, s := range p.steps {
		if out := rec.Steps[i]; out.Status != 0 != s.fails {
			return fmt.Errorf("run %d: status %d on Linux: %s%s", i+1, out.Status, out.Stderr, out.Stdout)
		}
	}
	var second record
	if err := r.runs(ctx, p, image, onLinux, &second); err != nil {
		return err
	}
	for _, d := range compare(p, rec, &second) {
		return fmt.Errorf("%s differs between two runs on Linux: mask it: %s", d.what, d.text)
	}
	return nil
}

// build builds a program for a platform.
func (r *runner) build(ctx context.Context, p *program, module string, platform int) (image string, err error) {
	ctx, cancel := context.WithTimeout(ctx, buildLimit)
	defer cancel()
	dir := filepath.Join(r.work(), "bin")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	image = filepath.Join(dir, path.Base(p.name))
	args := []string{"build", "-o", image, p.pkg}
	cmd := r.goCommand(ctx, module, args...)
	if platform != onLinux {
		cmd = exec.CommandContext(ctx, r.yolk, args...)
		cmd.Dir = module
	}
	_, err = output(cmd)
	if ctx.Err() == context.DeadlineExceeded {
		err = errSlow
	}
	return image, err
}

// errSlow is what comes of a build that takes too long.
var errSlow = fmt.Errorf("the build did not end within %v", buildLimit)

// runs does the runs of a program. What the program does wrong is in rec, not
// an error.
func (r *runner) runs(ctx context.Context, p *program, image string, platform int, rec *record) error {
	info, err := os.Stat(image)
	if err != nil {
		return err
	}
	rec.Image = info.Size()
	// The directory has the same path on Linux and in the guest, where it is
	// below a root that holds nothing else.
	dir := filepath.Join(r.work(), "tree")
	root, at := "", dir
	if platform != onLinux {
		root = filepath.Join(r.work(), "root")
		at = filepath.Join(root, dir)
		if err := os.RemoveAll(root); err != nil {
			return err
		}
	}
	input := slices.DeleteFunc(slices.Clone(p.files), isSource)
	if err := errors.Join(lay(at, input), os.Mkdir(filepath.Join(at, "tmp"), 0o777)); err != nil {
		return err
	}
	limit := r.limit
	if p.limit != 0 {
		limit = p.limit
	}
	end := time.Now().Add(limit)
	env := slices.Concat([]string{
		"HOME=" + dir, "TMPDIR=" + filepath.Join(dir, "tmp"), "PATH=/usr/bin:/bin", "USER=root", "TZ=UTC", "LANG=C.UTF-8",
	}, p.env)
	for i, s := range p.steps {
		var cmd *exec.Cmd
		// What does not end is ended by yolk, and by us only if that does not.
		limited, cancel := context.WithTimeout(ctx, time.Until(end)+time.Minute)
		if platform == onLinux {
			cmd = exec.CommandContext(limited, image, s.args...)
			cmd.Dir, cmd.Env, cmd.Args[0] = dir, env, filepath.Base(image)
		} else {
			args := []string{
				"run", "-q", "--machine=" + platforms[platform], "--accel=" + r.accel[platform], "--mem=" + p.memory,
				"--timeout=" + time.Until(end).String(), "--root=" + root, "--cwd=" + dir,
			}
			for _, v := range env {
				args = append(args, "--env="+v)
			}
			cmd = exec.CommandContext(limited, r.yolk, slices.Concat(args, []string{image, "--"}, s.args)...)
		}
		out, err := s.run(cmd, at)
		over := limited.Err() != nil || time.Now().After(end)
		cancel()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return fmt.Errorf("run %d: %w", i+1, err)
		}
		rec.Steps = append(rec.Steps, out)
		if over {
			rec.Failure = fmt.Sprintf("run %d did not end within %v: %s", i+1, limit, out.Stderr)
			return nil
		}
		if platform != onLinux && out.Status == 125 {
			rec.Failure = fmt.Sprintf("run %d: its machine failed: %s", i+1, out.Stderr)
			return nil
		}
	}
	rec.Tree, err = snapshot(at)
	return err
}

// mostOutput is how much of an output is kept, in bytes.
const mostOutput = 1 << 20

// run does one run, in a directory that is at this path on the host.
func (s *step) run(cmd *exec.Cmd, at string) (out outcome, err error) {
	if s.stdin != "" {
		in, err := os.Open(filepath.Join(at, s.stdin))
		if err != nil {
			return out, err
		}
		defer in.Close()
		cmd.Stdin = in
	}
	var stdout, stderr limitedBuffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) && !errors.Is(err, context.DeadlineExceeded) {
		return out, err
	}
	out = outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		out.Status = 128 + int(status.Signal())
	}
	if s.stdout != "" {
		err := os.WriteFile(filepath.Join(at, s.stdout), stdout.Bytes(), 0o644)
		out.Stdout = ""
		return out, err
	}
	return out, nil
}

// limitedBuffer keeps the first mostOutput bytes.
type limitedBuffer struct{ bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), mostOutput-b.Len())])
	return len(p), nil
}
