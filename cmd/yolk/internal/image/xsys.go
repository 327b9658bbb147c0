package image

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// xsysPath is a module that has nothing for the target in its package unix,
// which many programs need. They get one of this program's in its place.
const xsysPath = "golang.org/x/sys"

//go:embed _xsys/unix
var xsysFiles embed.FS

// xsys adds to the workspace w, which lies in file, what gives the module
// golang.org/x/sys of the build list a package unix. It leaves a build list
// without the module alone, and one in which the user has replaced it.
func (b *Builder) xsys(ctx context.Context, dir, file string, w *workFile, ws *workspace) error {
	if needed, err := inSums(file, w); err != nil || !needed {
		return err
	}
	_, goflags := takeFlag(ws.goflags, "mod") // only some values go with a workspace
	env := append([]string{"GOFLAGS=" + joinFlags(goflags)}, ws.env...)
	var m struct {
		Version string
		Replace *struct{}
		Error   *struct{ Err string }
	}
	if err := b.goJSON(ctx, &m, dir, env, "list", "-m", "-e", "-json=Version,Replace,Error", xsysPath); err != nil {
		return err
	}
	if m.Version == "" || m.Replace != nil || m.Error != nil {
		return nil
	}
	// Fetches the module if need be, and checks it against the user's go.sum,
	// which the go command does not do with a replacement. If that fails and
	// the program needs it, so does the build, which says why.
	var got struct{ Dir string }
	err := b.goJSON(ctx, &got, dir, env, "mod", "download", "-json", xsysPath+"@"+m.Version)
	if err != nil || got.Dir == "" {
		return ctx.Err()
	}
	replacement, err := unpackXsys(got.Dir)
	if err != nil {
		return fmt.Errorf("%s for the guest: %w", xsysPath, err)
	}
	var r replace
	r.Old.Path, r.Old.Version, r.New.Path = xsysPath, m.Version, replacement
	w.Replace = append(w.Replace, r)
	return os.WriteFile(file, w.format(), 0o600)
}

// inSums reports whether a go.sum file of the workspace speaks of
// golang.org/x/sys: one does if it is in the build list.
func inSums(file string, w *workFile) (bool, error) {
	sums := []string{file + ".sum"}
	for _, use := range w.Use {
		sums = append(sums, filepath.Join(use.DiskPath, "go.sum"))
	}
	for _, name := range sums {
		text, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		if bytes.Contains(text, []byte(xsysPath+" v")) {
			return true, nil
		}
	}
	return false, nil
}

// xsysUnix are the files of package unix for the guest, by their names in the
// module.
func xsysUnix() (map[string][]byte, error) {
	files := map[string][]byte{}
	entries, err := xsysFiles.ReadDir("_xsys/unix")
	for _, e := range entries {
		if files["unix/"+e.Name()], err = xsysFiles.ReadFile(path.Join("_xsys/unix", e.Name())); err != nil {
			break
		}
	}
	return files, err
}

// unpackXsys makes a copy of golang.org/x/sys with another package unix in
// the user's cache, where the paths of files stay the same from build to
// build, and returns its directory. All else are links to the module.
func unpackXsys(module string) (string, error) {
	files, err := xsysUnix()
	if err != nil {
		return "", err
	}
	entries, err := os.ReadDir(module)
	if err != nil {
		return "", err
	}
	links := map[string]string{}
	for _, e := range entries {
		if e.Name() != "unix" {
			links[e.Name()] = filepath.Join(module, e.Name())
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place for its sources: %w; set HOME or XDG_CACHE_HOME", err)
	}
	return unpack(filepath.Join(cache, "yolk", "xsys"), files, links)
}

// vendorXsys puts package unix for the guest into a vendor directory that has
// a hole for it.
func vendorXsys(vendor string) error {
	files, err := xsysUnix()
	if err != nil {
		return err
	}
	dir := filepath.Join(vendor, xsysPath)
	if err := os.Mkdir(filepath.Join(dir, "unix"), 0o700); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// vendorsXsys reports whether a modules.txt lists package unix of
// golang.org/x/sys, and not of a replacement of the user's.
func vendorsXsys(list string) bool {
	for line := range strings.Lines(list) {
		if strings.HasPrefix(line, "# "+xsysPath+" ") && strings.Contains(line, " => ") {
			return false
		}
	}
	return strings.Contains(list, "\n"+xsysPath+"/unix\n")
}
