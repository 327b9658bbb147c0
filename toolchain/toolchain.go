// Package toolchain makes the Go distribution that builds for GOOS=tamago.
//
// It copies a stock Go into the user's cache, lays the files under
// _files over it, applies the edits of the tables edits_*.go, and builds the
// go command, compiler, assembler and linker from the result. The stock Go
// stays as it is. A finished distribution is reused as long as its manifest
// still matches the files on disk.
package toolchain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/yolkos/yolk/toolchain/usercache"
)

// Toolchain is a finished Go distribution that knows GOOS=tamago.
type Toolchain struct {
	Root    string // GOROOT; empty when $TAMAGO names a go command without telling its root
	Go      string // path of the go command
	Version string // as in go version, for example go1.26.8-yolk.1f3a…
}

// Env returns the settings, as KEY=VALUE, that a go command of this
// toolchain needs to build for the target. They go after the caller's own
// environment.
func (t *Toolchain) Env() []string {
	return []string{
		"GOROOT=" + t.Root,
		"GOTOOLCHAIN=local",
		"GOOS=tamago",
		"GOARCH=amd64",
		"GOEXPERIMENT=",
		"CGO_ENABLED=0",
	}
}

// Ensure returns a toolchain, building it first when the cache does not hold it.
// Wants is the release of Go that it has to be made from at least, such as
// 1.27.1, as a go.mod says it; "" if any does. The error wraps ErrTooNew where
// that is a later Go than the edits are for. Progress gets one line for each phase of a build and nothing when
// the cache serves. Concurrent calls, in this process or another, share one
// build.
//
// The environment variable TAMAGO names a go command to use instead.
func Ensure(ctx context.Context, wants string, progress io.Writer) (*Toolchain, error) {
	if name := os.Getenv("TAMAGO"); name != "" {
		return fromEnv(ctx, name)
	}
	stock, err := findStock(ctx, wants)
	if err != nil {
		return nil, err
	}
	place, err := cache()
	if err != nil {
		return nil, err
	}
	return ensure(ctx, stock, builtin(), place, progress)
}

// cache is the place that holds the toolchains of this user.
func cache() (usercache.Place, error) { return usercache.Find("toolchain", "the toolchain") }

// ensure is Ensure with everything that it depends on made explicit.
func ensure(ctx context.Context, stock *stock, c *contents, place usercache.Place, progress io.Writer) (*Toolchain, error) {
	base := place.Path
	key := c.key(stock)
	root := filepath.Join(base, key)
	t := &Toolchain{Root: root, Go: filepath.Join(root, "bin", "go"), Version: c.version(stock)}

	if checkManifest(root, key) == nil {
		used(base, key)
		return t, nil
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		return nil, place.Explain(err)
	}
	unlock, err := lock(ctx, filepath.Join(base, key+".lock"), func() {
		fmt.Fprintln(progress, "toolchain: another yolk is building it, waiting for that one")
	})
	if err != nil {
		return nil, place.Explain(err)
	}
	defer unlock()

	switch err := checkManifest(root, key); {
	case err == nil:
		return t, nil
	case !errors.Is(err, os.ErrNotExist):
		fmt.Fprintf(progress, "toolchain: %v: building it again\n", err)
	}
	b := &build{stock: stock, contents: c, key: key, version: t.Version, progress: progress}
	tmp := root + ".tmp"
	if err := b.fresh(ctx, tmp, root); err != nil {
		os.RemoveAll(tmp)
		os.Remove(filepath.Join(base, key+".lock")) // nothing is left
		return nil, explain(ctx, err, place)
	}
	used(base, key)
	prune(ctx, base)
	return t, nil
}

// fromEnv returns the toolchain whose go command $TAMAGO names.
func fromEnv(ctx context.Context, name string) (*Toolchain, error) {
	env, err := goEnv(ctx, name, "GOTOOLCHAIN=local")
	if err != nil {
		return nil, fmt.Errorf("TAMAGO=%s is no go command that works (%w); name one, or unset TAMAGO", name, err)
	}
	return &Toolchain{Root: env["GOROOT"], Go: name, Version: env["GOVERSION"]}, nil
}
