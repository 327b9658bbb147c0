package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/yolkos/yolk/cmd/bench/scale/internal/plan"
)

// makeFiles lays out what the program finds in its root: the directories with
// files of their own, and those whose entries are further names of a few files,
// which are quicker to make.
func makeFiles(ctx context.Context, root string, p *plan.Plan) error {
	n := p.Largest(plan.Files)
	for share := range plan.Shares {
		dir := filepath.Join(root, plan.FilesDir(share))
		if err := makeDir(ctx, dir, (n+plan.Shares-1)/plan.Shares, plan.File, makeFile); err != nil {
			return err
		}
	}
	base := filepath.Join(root, "base")
	if err := makeDir(ctx, base, (p.Largest(plan.Walk)+plan.Links-1)/plan.Links, plan.File, makeFile); err != nil {
		return err
	}
	for _, size := range p.Sizes[plan.Walk] {
		err := makeDir(ctx, filepath.Join(root, plan.WalkDir(size)), size, plan.Entry, func(name string, i int) error {
			return os.Link(filepath.Join(base, plan.File(i/plan.Links)), name)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// makeDir makes a directory with n entries.
func makeDir(ctx context.Context, dir string, n int, name func(i int) string, do func(name string, i int) error) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i := range n {
		if err := do(filepath.Join(dir, name(i)), i); err != nil {
			return err
		}
		if i%1000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func makeFile(name string, _ int) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := f.Truncate(plan.FileSize); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
