package toolchain

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// parts are the parts of GOROOT that a distribution needs to build programs
// and run the standard library's tests.
func parts(s *stock) []string {
	return []string{"src", "pkg/include", "pkg/tool/" + s.Host, "lib", "bin", "VERSION", "go.env"}
}

// copyGOROOT brings the parts of a stock Go to dst, each file by way of bring.
func copyGOROOT(ctx context.Context, s *stock, dst string, bring func(name, dst string) error) error {
	for _, part := range parts(s) {
		// Distributors link parts of GOROOT to other places.
		from, err := filepath.EvalSymlinks(filepath.Join(s.Root, part))
		if err != nil {
			return fmt.Errorf("the Go in %s is not complete (%w): install Go 1.26 from https://go.dev/dl", s.Root, err)
		}
		if err := copyTree(ctx, from, filepath.Join(dst, part), bring); err != nil {
			return err
		}
	}
	return nil
}

func copyTree(ctx context.Context, from, to string, bring func(name, dst string) error) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		dst := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.Mkdir(dst, 0o755)
		case d.Type().IsRegular():
			return bring(name, dst)
		case d.Type() == fs.ModeSymlink:
			return copyLinked(name, dst)
		}
		return nil
	})
}

// copyLinked copies the file behind a symbolic link. A link to a directory
// inside the tree is kept out: the go command follows none.
func copyLinked(name, dst string) error {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return copyFile(name, dst)
}

// linkOrCopy makes a hard link where the file systems and permissions allow
// one, else a copy.
func linkOrCopy(name, dst string) error {
	if os.Link(name, dst) == nil {
		return nil
	}
	return copyFile(name, dst)
}

func copyFile(name, dst string) error {
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm()|0o200)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// writeNew writes a file beside its name and renames it into place, so that
// a hard link to a stock file is replaced and never written through. A file
// that has the data already is left alone.
func writeNew(name string, data []byte, perm fs.FileMode) error {
	if old, err := os.ReadFile(name); err == nil && string(old) == string(data) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	tmp := name + ".yolk-new"
	if err := os.Remove(tmp); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.WriteFile(tmp, data, perm); err != nil {
		os.Remove(tmp)
		return err
	}
	return os.Rename(tmp, name)
}
