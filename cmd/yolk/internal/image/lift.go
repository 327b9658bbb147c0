package image

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/yolkos/yolk/toolchain/usercache"
)

// lift brings the modules of packages that lie in the module cache, where the go
// command lets no overlay add a file, to a directory of this program's, and has
// the workspace take them from there. It reports whether there were any, so that
// the packages have to be listed again.
func (b *Builder) lift(ctx context.Context, ws *workspace, pkgs []pkg) (bool, error) {
	lifted := map[string]bool{}
	for _, p := range pkgs {
		m := p.Module
		if m == nil || !strings.HasPrefix(m.Dir, ws.modCache+"/") || lifted[m.Dir] {
			continue
		}
		if ws.file == "" || ws.vendored {
			return false, fmt.Errorf("%s lies in the module cache: name its version, as in %s@%s", p.ImportPath, p.ImportPath, m.Version)
		}
		dir, err := copyModule(ctx, ws.modCache, m)
		if err != nil {
			return false, fmt.Errorf("taking %s out of the module cache: %w", m.Path, err)
		}
		lifted[m.Dir] = true
		ws.replace(m.Path, m.Version, dir)
	}
	if len(lifted) == 0 {
		return false, nil
	}
	return true, os.WriteFile(ws.file, ws.work.format(), 0o600)
}

// liftedModules returns the directory that holds such copies. The toolchain's go
// command knows it as GOLIFTED, so that the programs in it tell their versions.
func liftedModules() (usercache.Place, error) {
	return usercache.Find("modules", "modules taken out of the module cache")
}

// copyModule links or copies a module from the module cache to the user's cache
// and returns its directory, which is the same from run to run for the same
// contents.
func copyModule(ctx context.Context, modCache string, m *module) (string, error) {
	place, err := liftedModules()
	if err != nil {
		return "", err
	}
	dir, err := copyModuleTo(ctx, place.Path, modCache, m)
	return dir, place.Explain(err)
}

// copyModuleTo is copyModule to a directory below base.
func copyModuleTo(ctx context.Context, base, modCache string, m *module) (string, error) {
	name, err := filepath.Rel(modCache, m.Dir)
	if err != nil {
		return "", err
	}
	path, version, _ := strings.Cut(name, "@")
	sum, err := os.ReadFile(filepath.Join(modCache, "cache", "download", path, "@v", version+".ziphash"))
	if err != nil {
		return "", err
	}
	dir := filepath.Join(base, fmt.Sprintf("%s-%.8x", filepath.Base(name), sha256.Sum256(append(sum, name...))))
	there := func() bool {
		_, err := os.Stat(dir)
		return err == nil
	}
	return dir, kept(dir, there, func(tmp string) error {
		if err := linkTree(ctx, m.Dir, tmp); err != nil {
			return err
		}
		// Modules from before there were modules have none.
		file := filepath.Join(tmp, "go.mod")
		if _, err := os.Stat(file); err != nil {
			if err := os.WriteFile(file, []byte("module "+quoteMod(m.Path)+"\n"), 0o644); err != nil {
				return err
			}
		}
		return os.Chmod(tmp, 0o755)
	})
}

// linkTree makes directories below dst like those below src, with links to the
// files of src, or copies of them.
func linkTree(ctx context.Context, src, dst string) error {
	return filepath.WalkDir(src, func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(src, name)
		if err != nil {
			return err
		}
		to := filepath.Join(dst, rel)
		switch {
		case rel == ".":
			return nil
		case d.IsDir():
			return os.Mkdir(to, 0o755)
		case os.Link(name, to) == nil:
			return nil
		}
		return copyFile(name, to)
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
