package toolchain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yolkos/yolk/toolchain/usercache"
)

// laidName lists, in a distribution made by Into, the files that differ
// from the stock's, so that the next run can take them back.
const laidName = "yolk-laid"

// Into makes or refreshes a distribution in a directory of the developer's,
// outside the cache. A second call writes only what has changed; with
// rebuild false the tools stay as they are, which is enough after a change to
// the standard library or the runtime. files, when not empty, is a directory
// to use for _files in place of the embedded ones.
//
// Nothing checks such a distribution later; use it through $TAMAGO.
func Into(ctx context.Context, dir, files string, rebuild bool, progress io.Writer) (*Toolchain, error) {
	stock, err := findStock(ctx, "")
	if err != nil {
		return nil, err
	}
	c := builtin()
	if files != "" {
		c.files = os.DirFS(files)
	}
	// The word devel makes the tools' build ids their identity in the build
	// cache: the version stays the same from one change to the next.
	b := &build{stock: stock, contents: c, version: stock.Version + "-yolk.devel", progress: progress}
	if err := b.into(ctx, dir, rebuild); err != nil {
		return nil, explain(ctx, err, usercache.At(dir, "the toolchain"))
	}
	return &Toolchain{Root: dir, Go: filepath.Join(dir, "bin", "go"), Version: b.version}, nil
}

func (b *build) into(ctx context.Context, dir string, rebuild bool) error {
	files, err := b.contents.render(b.stock, b.version)
	if err != nil {
		return err
	}
	laid, err := os.ReadFile(filepath.Join(dir, laidName))
	switch {
	case errors.Is(err, os.ErrNotExist):
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
			return fmt.Errorf("%s is not empty and was not made by this command; name another directory", dir)
		}
		rebuild = true
		// Copies, not links: a developer may edit these files in place.
		err = b.phase("copying "+b.stock.Version+" from "+b.stock.Root, func() error {
			return copyGOROOT(ctx, b.stock, dir, copyFile)
		})
	case err == nil:
		err = takeBack(b.stock, dir, strings.Fields(string(laid)), files)
	}
	if err != nil {
		return err
	}
	names := []string{}
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	if err := os.WriteFile(filepath.Join(dir, laidName), []byte(strings.Join(names, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	if err := b.phase(fmt.Sprintf("writing %d files", len(files)), func() error { return layFiles(dir, files) }); err != nil {
		return err
	}
	if !rebuild {
		return nil
	}
	return b.phase("building "+strings.Join(tools, ", "), func() error {
		if err := stockTools(b.stock, dir); err != nil {
			return err
		}
		return b.tools(ctx, dir)
	})
}

// stockTools puts the stock's tools back: its go command works with no others.
func stockTools(s *stock, dir string) error {
	for _, tool := range tools[1:] { // tools[0], go, is called where it is
		name := filepath.Join("pkg", "tool", s.Host, tool)
		data, err := os.ReadFile(filepath.Join(s.Root, name))
		if err != nil {
			return err
		}
		if err := writeNew(filepath.Join(dir, name), data, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// takeBack removes what an earlier call wrote and this one does not: the
// stock's file returns where there is one.
func takeBack(s *stock, dir string, laid []string, files map[string][]byte) error {
	for _, name := range laid {
		if _, ok := files[name]; ok {
			continue
		}
		dst := filepath.Join(dir, name)
		if err := os.Remove(dst); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		from, err := filepath.EvalSymlinks(filepath.Join(s.Root, name))
		if err != nil {
			continue
		}
		if err := copyFile(from, dst); err != nil {
			return err
		}
	}
	return nil
}
