package toolchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/toolchain/group"
	"github.com/yolkos/yolk/toolchain/usercache"
)

// tools are the programs that know the target; all others stay the stock's.
var tools = []string{"go", "compile", "asm", "link"}

// build makes one distribution.
type build struct {
	stock    *stock
	contents *contents
	key      string
	version  string
	progress io.Writer
}

// fresh builds a distribution in tmp and moves it to root when it is proved.
// Whatever was at either place is removed.
func (b *build) fresh(ctx context.Context, tmp, root string) error {
	for _, dir := range []string{tmp, root} {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("%w; remove %s by hand", err, dir)
		}
	}
	files, err := b.contents.render(b.stock, b.version)
	if err != nil {
		return err
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"copying " + b.stock.Version + " from " + b.stock.Root, func() error { return copyGOROOT(ctx, b.stock, tmp, linkOrCopy) }},
		{fmt.Sprintf("writing %d files", len(files)), func() error { return layFiles(tmp, files) }},
		{"building " + strings.Join(tools, ", ") + " (some minutes, once)", func() error { return b.tools(ctx, tmp) }},
		{"proving it", func() error { return b.prove(ctx, tmp) }},
		{"sealing it", func() error { return b.seal(tmp) }},
	}
	for _, s := range steps {
		if err := b.phase(s.name, s.do); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return os.Rename(tmp, root)
}

// phase runs one step and shows it, with its time, on one line.
func (b *build) phase(name string, do func() error) error {
	start := time.Now()
	fmt.Fprintf(b.progress, "toolchain: %s ... ", name)
	if err := do(); err != nil {
		fmt.Fprintln(b.progress, "failed")
		return err
	}
	fmt.Fprintf(b.progress, "%.1f s\n", time.Since(start).Seconds())
	return nil
}

func layFiles(root string, files map[string][]byte) error {
	for name, data := range files {
		if err := writeNew(filepath.Join(root, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// tools builds the changed tools with the stock go command, and the stock's
// own tools that root still holds, and puts them in their places.
func (b *build) tools(ctx context.Context, root string) error {
	out := filepath.Join(root, "pkg", "yolk-new")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(out)
	args := []string{"build", "-o", out + "/"}
	for _, tool := range tools {
		args = append(args, "cmd/"+tool)
	}
	if err := b.run(ctx, root, b.stock.Go, args, []string{"GOROOT=" + root, "GOOS=", "GOARCH="}); err != nil {
		return err
	}
	for _, tool := range tools {
		dir := filepath.Join(root, "pkg", "tool", b.stock.Host)
		if tool == "go" {
			dir = filepath.Join(root, "bin")
		}
		if err := os.Rename(filepath.Join(out, tool), filepath.Join(dir, tool)); err != nil {
			return err
		}
	}
	return nil
}

// prove uses each of the new tools: it builds a part of the standard library
// for the target, and asks the linker who it is. A whole program would need
// the kernel, which is not this package's.
func (b *build) prove(ctx context.Context, root string) error {
	t := &Toolchain{Root: root, Go: filepath.Join(root, "bin", "go")}
	if err := b.run(ctx, root, t.Go, []string{"build", "fmt"}, t.Env()); err != nil {
		return err
	}
	return b.run(ctx, root, t.Go, []string{"tool", "link", "-V=full"}, t.Env())
}

// run runs a go command, away from settings of the user that could change
// what it builds. Its output is shown only in the error.
func (b *build) run(ctx context.Context, dir, name string, args, env []string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = slices.Concat(os.Environ(), []string{
		"GOFLAGS=", "GOENV=off", "GOWORK=off", "GO111MODULE=", "GOTOOLCHAIN=local", "GOPROXY=off",
		"GOEXPERIMENT=", "GOAMD64=", "CGO_ENABLED=0", "GOOSPKG=", "PWD=" + dir,
	}, env)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := group.Run(cmd); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if strings.Contains(out.String(), unix.ENOSPC.Error()) {
			return unix.ENOSPC
		}
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}

// seal writes the manifest and has the disk hold everything before the
// directory gets the name that later runs trust.
func (b *build) seal(root string) error {
	if err := writeManifest(root, b.key); err != nil {
		return err
	}
	dir, err := os.Open(root)
	if err != nil {
		return err
	}
	defer dir.Close()
	return unix.Syncfs(int(dir.Fd()))
}

// explain turns the error of a build into one that says what to do.
func explain(ctx context.Context, err error, place usercache.Place) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("toolchain: stopped; the next run starts again: %w", context.Cause(ctx))
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return fmt.Errorf("toolchain: the disk is full (%s, or Go's build cache): free about 1 GB and run again", place.Path)
	}
	return place.Explain(err)
}
