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

	"github.com/yolkos/yolk/toolchain/group"
)

// goCommand runs the toolchain's go command and returns its output. Its
// complaints go into the error.
func (b *Builder) goCommand(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, b.Toolchain.Go, args...)
	cmd.Dir = dir
	cmd.Env = append(b.environ(dir), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var lines *packageLines
	if b.Compiling != nil && args[0] == "build" {
		lines = newPackageLines(b.Compiling)
		cmd.Stderr = lines
	}
	if b.Trace != nil {
		fmt.Fprintln(b.Trace, "+ cd", dir, "&&", strings.Join(cmd.Args, " "))
	}
	err := group.Run(cmd)
	if lines != nil {
		lines.flush()
		stderr = lines.rest
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		text := strings.TrimSpace(stderr.String() + "\n" + stdout.String())
		if err := b.newerIn(text); err != nil {
			return nil, err
		}
		return nil, &GoError{Args: args, Err: err, Text: withCure(seenFrom(dir, text))}
	}
	return stdout.Bytes(), nil
}

// withCure adds what to do to a go command's complaint about a full disk, which names a file that
// the user has not asked for.
func withCure(text string) string {
	if strings.Contains(text, syscall.ENOSPC.Error()) || strings.Contains(text, syscall.EDQUOT.Error()) {
		text += "\nthe disk is full: free some space there; XDG_CACHE_HOME and GOCACHE have caches on another one"
	}
	return text
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
	lifted, _ := liftedModules() // without it, none are lifted
	return append(env, "GOOSPKG="+boardPackage, "GOLIFTED="+lifted.Path, "GOTMPDIR="+b.Scratch, "PWD="+dir)
}

// packageLines takes the lines out of the output of go build -v that name a
// package which is being compiled. Complaints have spaces or colons in them.
type packageLines struct {
	found func(pkg string)
	rest  bytes.Buffer
	line  []byte // the last one, as far as it goes
}

func newPackageLines(found func(pkg string)) *packageLines { return &packageLines{found: found} }

func (p *packageLines) Write(b []byte) (int, error) {
	for _, c := range b {
		p.line = append(p.line, c)
		if c == '\n' {
			p.flush()
		}
	}
	return len(b), nil
}

func (p *packageLines) flush() {
	name := strings.TrimSuffix(string(p.line), "\n")
	if name != "" && !strings.ContainsAny(name, " \t:#") && len(name) < len(p.line) {
		p.found(name)
	} else {
		p.rest.Write(p.line)
	}
	p.line = nil
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
