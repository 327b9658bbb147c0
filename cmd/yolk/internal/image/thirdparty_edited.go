package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// edited makes those edits that are of a file.
func edited(edits []thirdPartyEdit, file string, src []byte) ([]byte, error) {
	changed := false
	for _, e := range edits {
		if e.file != file {
			continue
		}
		if n := bytes.Count(src, []byte(e.old)); n != 1 {
			return nil, fmt.Errorf("%s: %q stands there %d times, want once", e.file, e.old, n)
		}
		src, changed = bytes.Replace(src, []byte(e.old), []byte(e.new), 1), true
	}
	if changed {
		src = append(src, editedMark...)
	}
	return src, nil
}

// editedFiles are the files that have edits, in their order.
func editedFiles() (list []string) {
	for _, e := range thirdPartyEdits {
		if !slices.Contains(list, e.file) {
			list = append(list, e.file)
		}
	}
	return list
}

// editOwn has the kernel's own module, which requires those modules as any other does,
// get the edited files: by a copy of their module, and a go.mod that names it. Where a
// workspace of the developer's is in use, which takes no other go.mod, it gets the
// originals.
func (b *Builder) editOwn(ctx context.Context, ws *workspace) error {
	if ws.goMod == "" {
		return nil
	}
	modules, err := b.download(ctx)
	if err != nil {
		return err
	}
	place, err := liftedModules()
	if err != nil {
		return err
	}
	edits := map[string][]byte{}
	for _, file := range editedFiles() {
		module := thirdPartyOf(file)
		src, err := os.ReadFile(filepath.Join(modules[module], strings.TrimPrefix(file, module)))
		if err == nil {
			src, err = edited(thirdPartyEdits, file, src)
		}
		if err != nil {
			return fmt.Errorf("the network stack's sources: %w", err)
		}
		edits[file] = src
	}
	maps.Copy(edits, addedFiles)
	mod, err := os.ReadFile(ws.goMod)
	if err != nil {
		return err
	}
	for _, module := range thirdPartyModules {
		own := map[string][]byte{}
		for file, src := range edits {
			if rest, ok := strings.CutPrefix(file, module+"/"); ok {
				own[rest] = src
			}
		}
		if len(own) == 0 {
			continue
		}
		dir := filepath.Join(place.Path, filepath.Base(modules[module])+"-"+nameOf(own))
		if err := copyEdited(ctx, place.Path, modules[module], dir, own); err != nil {
			return fmt.Errorf("a copy of %s: %w", module, place.Explain(err))
		}
		mod = fmt.Appendf(mod, "\nreplace %s => %s\n", module, dir)
	}
	file := filepath.Join(b.Scratch, "own.mod")
	sum, err := os.ReadFile(strings.TrimSuffix(ws.goMod, ".mod") + ".sum")
	if err != nil {
		return err
	}
	ws.flags = append(ws.flags, "-modfile="+file)
	return errors.Join(os.WriteFile(file, mod, 0o600), os.WriteFile(filepath.Join(b.Scratch, "own.sum"), sum, 0o600))
}

// copyEdited makes a copy of a module in a directory below base, with some files of its own,
// unless it is there.
func copyEdited(ctx context.Context, base, module, dir string, files map[string][]byte) error {
	if _, err := os.Stat(dir); err == nil {
		now := time.Now()
		_ = os.Chtimes(dir, now, now) // noted for sweep, as far as it goes
		return nil
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		return err
	}
	sweep(base)
	tmp, err := os.MkdirTemp(base, "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := linkTree(ctx, module, tmp); err != nil {
		return err
	}
	for name, src := range files {
		name = filepath.Join(tmp, name)
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) { // it may be the module cache's
			return err
		}
		if err := os.WriteFile(name, src, 0o644); err != nil {
			return err
		}
	}
	if err := os.Rename(tmp, dir); err != nil {
		if _, there := os.Stat(dir); there != nil { // by a run beside this one
			return err
		}
	}
	return nil
}
