package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// vendor makes a vendor directory for the temporary workspace when the user's
// module or workspace, at root, builds from one, by the -mod flag mode or by itself: what is
// there, and tamago.
func (b *Builder) vendor(ctx context.Context, root string, mods []modFile, uses []struct{ DiskPath string }, mode string) (bool, error) {
	if root == "" {
		return false, nil
	}
	list, err := os.ReadFile(filepath.Join(root, "vendor", "modules.txt"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	inWork := strings.HasPrefix(string(list), "## workspace")
	byDefault := inWork || len(mods) == 1 && uses[0].DiskPath == root && minorOf(mods[0].Go) >= 14
	if mode != "vendor" && (mode != "" || !byDefault) {
		return false, nil
	}
	tamago, err := b.tamago(ctx)
	if err != nil {
		return false, err
	}
	dst := filepath.Join(b.Scratch, "vendor")
	if err := linkAround(filepath.Join(root, "vendor"), dst, strings.Split(tamagoPath, "/")); err != nil {
		return false, err
	}
	if err := os.Symlink(tamago, filepath.Join(dst, tamagoPath)); err != nil {
		return false, err
	}
	packages, err := packagesBelow(tamago)
	if err != nil {
		return false, err
	}
	text := vendorList(string(list), root, b.Scratch, packages)
	return true, os.WriteFile(filepath.Join(dst, "modules.txt"), []byte(text), 0o600)
}

// linkAround fills dst with symbolic links to what src holds, but for the path
// hole, whose parents are made anew and filled likewise.
func linkAround(src, dst string, hole []string) error {
	if err := os.Mkdir(dst, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(src)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if e.Name() == hole[0] || e.Name() == "modules.txt" {
			continue
		}
		if err := os.Symlink(filepath.Join(src, e.Name()), filepath.Join(dst, e.Name())); err != nil {
			return err
		}
	}
	if len(hole) == 1 {
		return nil
	}
	return linkAround(filepath.Join(src, hole[0]), filepath.Join(dst, hole[0]), hole[1:])
}

// packagesBelow lists the directories of a module that hold Go files, as
// paths below the module's.
func packagesBelow(dir string) ([]string, error) {
	var list []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isFile(name) {
			return err
		}
		rel, err := filepath.Rel(dir, filepath.Dir(name))
		if p := filepath.Join(tamagoPath, rel); !slices.Contains(list, p) {
			list = append(list, p)
		}
		return err
	})
	return list, err
}

// vendorList makes the modules.txt of the workspace from that of the user.
// Directories of replacements are relative to the place of the go.work file.
func vendorList(list, root, scratch string, packages []string) string {
	var out strings.Builder
	out.WriteString("## workspace\n")
	skip := false
	for line := range strings.Lines(list) {
		line = strings.TrimRight(line, "\n")
		if head, ok := strings.CutPrefix(line, "# "); ok {
			module, target, replaced := strings.Cut(head, " => ")
			path, _, _ := strings.Cut(module, " ")
			skip = path == tamagoPath || path == modulePath
			if abs := absolutePath(root, target); replaced && abs != target {
				if rel, err := filepath.Rel(scratch, abs); err == nil {
					line = "# " + module + " => " + rel
				}
			}
		}
		if !skip && line != "## workspace" {
			out.WriteString(line + "\n")
		}
	}
	fmt.Fprintf(&out, "# %s %s\n## explicit; go %s\n", tamagoPath, tamagoVersion, guestGo)
	for _, p := range packages {
		out.WriteString(p + "\n")
	}
	return out.String()
}

// tamago returns the directory of the tamago module in the module cache.
func (b *Builder) tamago(ctx context.Context) (string, error) {
	var m struct{ Dir, Error string }
	env := []string{"GOWORK=off", "GOFLAGS=-mod=mod"}
	if err := b.goJSON(ctx, &m, b.Guest, env, "mod", "download", "-json", tamagoPath); err != nil {
		return "", fmt.Errorf("%s %s is not in the module cache and cannot be fetched: %w", tamagoPath, tamagoVersion, err)
	}
	if m.Dir == "" {
		return "", fmt.Errorf("%s %s: %s", tamagoPath, tamagoVersion, m.Error)
	}
	return m.Dir, nil
}
