package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/yolkos/yolk/cmd/yolk/internal/image"
	"github.com/yolkos/yolk/cmd/yolk/internal/scratch"
	"github.com/yolkos/yolk/toolchain"
	"github.com/yolkos/yolk/toolchain/usercache"
)

// builder prepares what every build needs. The caller removes the directory.
func builder(ctx context.Context, trace io.Writer) (*image.Builder, *scratch.Dir, error) {
	t, err := toolchain.Ensure(ctx, "", os.Stderr)
	if err != nil {
		return nil, nil, err
	}
	guest, err := image.UnpackGuest()
	if err != nil {
		return nil, nil, err
	}
	dir, err := scratch.New()
	if err != nil {
		return nil, nil, err
	}
	return &image.Builder{Toolchain: t, Guest: guest, Scratch: dir.Path, Trace: trace}, dir, nil
}

// shownBuilder is builder for a command that builds one program and shows on a terminal how
// far it is. Done ends both.
func shownBuilder(ctx context.Context, trace io.Writer) (b *image.Builder, done func(), err error) {
	b, dir, err := builder(ctx, trace)
	if err != nil {
		return nil, nil, err
	}
	show := newProgress(os.Stderr, trace != nil)
	b.Compiling = show.compiling()
	return b, func() {
		show.end()
		dir.Remove()
	}, nil
}

// imageOptions say how an image is built, and what is in it besides the program.
type imageOptions struct {
	flags    []string // of go build
	profile  bool
	locks    bool
	debug    bool // symbols, and no optimization of the program's own packages
	traced   bool
	staged   bool
	disks    bool      // the kernel mounts file systems of disks
	commands io.Writer // the commands that are run; nil: not shown
}

// buildImage builds a package into a file that has no name for others, and
// returns it with the name of the program.
func buildImage(ctx context.Context, packages []string, o imageOptions) (*os.File, string, error) {
	kept, err := usercache.Find("images", "images")
	if err != nil {
		return nil, "", err
	}
	b, done, err := shownBuilder(ctx, o.commands)
	if err != nil {
		return nil, "", err
	}
	defer done()
	b.Profile, b.Locks, b.Debug, b.Traced, b.Staged = o.profile, o.locks, o.debug, o.traced, o.staged
	p, err := b.Program(ctx, packages, o.flags...)
	if err != nil {
		return nil, "", err
	}
	p.Disks = o.disks
	f, err := p.Image(ctx, kept.Path)
	return f, p.Name, err
}

// openImage opens an image that was built before.
func openImage(name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if err := image.Check(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s cannot be booted: %w; yolk build makes images", name, err)
	}
	return f, nil
}

func traceTo(verbose bool) io.Writer {
	if verbose {
		return os.Stderr
	}
	return nil
}
