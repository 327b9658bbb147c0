package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/yolkos/yolk/cmd/yolk/internal/image"
	"github.com/yolkos/yolk/cmd/yolk/internal/scratch"
	"github.com/yolkos/yolk/toolchain"
)

// builder prepares what every build needs. The caller removes the directory.
func builder(ctx context.Context, trace io.Writer) (*image.Builder, *scratch.Dir, error) {
	t, err := toolchain.Ensure(ctx, os.Stderr)
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

// buildImage builds a package into a file that has no name for others, and
// returns it with the name of the program.
func buildImage(ctx context.Context, packages, flags []string, profile bool, trace io.Writer) (*os.File, string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, "", fmt.Errorf("no place for images: %w; set HOME or XDG_CACHE_HOME", err)
	}
	b, dir, err := builder(ctx, trace)
	if err != nil {
		return nil, "", err
	}
	defer dir.Remove()
	b.Profile = profile
	show := newProgress(os.Stderr, trace != nil)
	defer show.end()
	b.Compiling = show.compiling()
	p, err := b.Program(ctx, packages, flags...)
	if err != nil {
		return nil, "", err
	}
	f, err := p.Image(ctx, filepath.Join(cache, "yolk", "images"))
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
