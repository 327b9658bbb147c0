package image

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// goCommand runs the toolchain's go command and returns its output. Its
// complaints go into the error.
func (b *Builder) goCommand(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, b.Toolchain.Go, args...)
	cmd.Dir = dir
	cmd.Env = append(b.environ(dir), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if b.Trace != nil {
		fmt.Fprintln(b.Trace, "+ cd", dir, "&&", strings.Join(cmd.Args, " "))
	}
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, &GoError{Args: args, Err: err, Text: strings.TrimSpace(stderr.String() + "\n" + stdout.String())}
	}
	return stdout.Bytes(), nil
}

// GoError is what a go command had to complain about.
type GoError struct {
	Args []string
	Err  error
	Text string
}

func (e *GoError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("go %s: %v", e.Args[0], e.Err)
	}
	return e.Text
}

// environ is the environment of the go commands that build for the target.
func (b *Builder) environ(dir string) []string {
	env := append(os.Environ(), b.Toolchain.Env()...)
	return append(env, "GOOSPKG="+boardPackage, "GOTMPDIR="+b.Scratch, "PWD="+dir)
}

// goJSON runs a go command that prints one JSON value.
func (b *Builder) goJSON(ctx context.Context, v any, dir string, env []string, args ...string) error {
	out, err := b.goCommand(ctx, dir, env, args...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, v); err != nil {
		return fmt.Errorf("go %s: %w", args[0], err)
	}
	return nil
}
