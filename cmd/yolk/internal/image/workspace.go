package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// workspace is the setting in which a program is built together with the
// kernel.
type workspace struct {
	env      []string          // for the go commands
	flags    []string          // for those that build or list
	goflags  []string          // the user's $GOFLAGS, less what Yolk does itself
	overlay  map[string]string // of the user's, see moduleFlags; without Yolk's own files
	inModule bool              // there is a module or workspace of the user's
	modCache string            // $GOMODCACHE
	cache    string            // $GOCACHE

	file     string   // the go.work; "" inside the kernel's own module
	goMod    string   // that of the kernel's own module, if it is no workspace's
	work     workFile // what it holds
	vendored bool     // there is a vendor directory beside it
	lists    []string // the modules that the user's lists, and itself; nil: it need not list all, see shadow
	modules  []string // the paths of the user's modules
}

// replaces reports whether a go build -o puts a new file in the place of one in
// dir, and does not write into that: see moveOrCopyFile in cmd/go.
func (ws *workspace) replaces(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.Mode()&fs.ModeSetgid == 0 && ws.cache != "" && !strings.HasPrefix(dir, ws.cache)
}

// modFile and workFile are what go mod edit -json and go work edit -json
// print, as far as it matters here.
type (
	modFile struct {
		Module  struct{ Path string }
		Go      string
		Godebug []godebug
		Require []struct{ Path string }
		Replace []replace
	}
	workFile struct {
		Go      string
		Godebug []godebug
		Use     []struct{ DiskPath string }
		Replace []replace
	}
	godebug struct{ Key, Value string }
	replace struct {
		Old, New struct{ Path, Version string }
	}
)

// workspace finds out in which module or workspace of the user a directory
// lies, and makes one that holds the kernel's module as well. What is going to be built there
// go list finds by args.
func (b *Builder) workspace(ctx context.Context, dir string, flags moduleFlags, args []string) (*workspace, error) {
	fromEnv, goflags, err := b.goflags(ctx, dir)
	if err != nil {
		return nil, err
	}
	var own struct{ GOMOD, GOWORK, GOMODCACHE, GOCACHE string }
	if err := b.goJSON(ctx, &own, dir, noFlags, "env", "-json", "GOMOD", "GOWORK", "GOMODCACHE", "GOCACHE"); err != nil {
		return nil, err
	}
	flags = flags.or(fromEnv)
	if dir == b.remote() { // which is a module of ours
		flags.mod, flags.modfile = "", ""
	}
	w := workFile{Go: guestGo}
	root := "" // where a vendor directory may be
	inWork := own.GOWORK != "" && own.GOWORK != "off"
	if inWork && flags.modfile != "" {
		return nil, fmt.Errorf("-modfile=%s: there is a go.work, in which each module has a go.mod of its own: GOWORK=off leaves it out", flags.modfile)
	}
	ws := &workspace{goflags: goflags, modCache: own.GOMODCACHE, cache: own.GOCACHE, overlay: map[string]string{}}
	plain := goflags // for go commands
	if flags.overlay != "" {
		if ws.overlay, err = readOverlay(flags.overlay); err != nil {
			return nil, err
		}
		flag, err := b.writeOverlay("users.json", ws.overlay)
		if err != nil {
			return nil, err
		}
		plain = append(slices.Clone(plain), flag)
	}
	if flags.mod == "mod" && own.GOMOD != "" && own.GOMOD != os.DevNull && len(args) > 0 {
		if err := b.upToDate(ctx, dir, flags, plain, args); err != nil {
			return nil, err
		}
	}
	switch {
	case inWork:
		if err := b.goJSON(ctx, &w, dir, noFlags, "work", "edit", "-json", own.GOWORK); err != nil {
			return nil, err
		}
		root = filepath.Dir(own.GOWORK)
		for i := range w.Use {
			w.Use[i].DiskPath = absolute(root, w.Use[i].DiskPath)
		}
		for i := range w.Replace {
			w.Replace[i].New.Path = absolutePath(root, w.Replace[i].New.Path)
		}
	case own.GOMOD != "" && own.GOMOD != os.DevNull:
		root = filepath.Dir(own.GOMOD)
		w.Use = []struct{ DiskPath string }{{root}}
	}

	ws.inModule = root != ""
	if err := b.tooNew(own.GOWORK, w.Go); err != nil {
		return nil, err
	}
	mods := make([]modFile, len(w.Use))
	for i, use := range w.Use {
		file := filepath.Join(use.DiskPath, "go.mod")
		if flags.modfile != "" {
			file = flags.modfile
		}
		if err := b.goJSON(ctx, &mods[i], dir, noFlags, "mod", "edit", "-json", file); err != nil {
			return nil, err
		}
		if mods[i].Module.Path == modulePath { // inside the kernel's own module: everything is there
			ws.flags = flags.list()
			ws.env = setFlags(plain)
			if !inWork {
				ws.goMod = own.GOMOD
			}
			if flags.modfile != "" {
				ws.goMod = flags.modfile
			}
			return ws, nil
		}
		if err := b.tooNew(filepath.Join(use.DiskPath, "go.mod"), mods[i].Go); err != nil {
			return nil, err
		}
		w.Go = newer(w.Go, mods[i].Go)
		ws.modules = append(ws.modules, mods[i].Module.Path)
	}
	if !inWork {
		w.Godebug = defaults(mods)
	}
	if flags.modfile != "" && root != "" {
		if err := flags.replaceMod(ws.overlay, root); err != nil {
			return nil, err
		}
	}
	w.Go = newer(w.Go, guestGo)
	w.Use = append(w.Use, struct{ DiskPath string }{b.Guest})

	file := filepath.Join(b.Scratch, "go.work")
	if err := os.WriteFile(file, w.format(), 0o600); err != nil {
		return nil, err
	}
	if err := copyIfThere(own.GOWORK+".sum", file+".sum"); err != nil {
		return nil, err
	}
	mod := "readonly"
	vendored, err := b.vendor(ctx, root, mods, w.Use, flags.mod)
	if err != nil {
		return nil, err
	}
	if vendored {
		mod = "vendor"
	} else if flags.mod == "vendor" {
		return nil, fmt.Errorf("-mod=vendor: %s: no vendor/modules.txt here, which go mod vendor makes", root)
	}
	if len(ws.overlay) > 0 {
		flag, err := b.writeOverlay("users.json", ws.overlay)
		if err != nil {
			return nil, err
		}
		plain = append(slices.Clone(goflags), flag)
	}
	ws.flags = []string{"-mod=" + mod}
	ws.env = append(setFlags(plain), "GOWORK="+file)
	ws.file, ws.work, ws.vendored = file, w, vendored
	if !inWork {
		for _, m := range mods {
			if minorOf(m.Go) < lazyFrom {
				continue
			}
			ws.lists = []string{m.Module.Path, tamagoPath}
			for _, r := range m.Require {
				ws.lists = append(ws.lists, r.Path)
			}
		}
	}
	return ws, nil
}

// replace has the workspace take a module from a directory, whatever it took it from.
// Without a version it is for all of them. The caller writes the file.
func (ws *workspace) replace(path, version, dir string) {
	ws.work.Replace = slices.DeleteFunc(ws.work.Replace, func(r replace) bool {
		return r.Old.Path == path && (version == "" || r.Old.Version == "" || r.Old.Version == version)
	})
	var r replace
	r.Old.Path, r.Old.Version, r.New.Path = path, version, dir
	ws.work.Replace = append(ws.work.Replace, r)
}

// use adds the module in a directory to the workspace.
func (ws *workspace) use(dir string) error {
	ws.work.Use = append(ws.work.Use, struct{ DiskPath string }{dir})
	return os.WriteFile(ws.file, ws.work.format(), 0o600)
}

// defaults are the settings that a module's main packages have by its go.mod,
// and would lose in a workspace.
func defaults(mods []modFile) []godebug {
	if len(mods) == 0 {
		return nil
	}
	settings := []godebug{{"default", "go1." + strconv.Itoa(settingsOf(mods[0].Go))}}
	for _, d := range mods[0].Godebug {
		if d.Key == "default" {
			settings[0] = d
		} else {
			settings = append(settings, d)
		}
	}
	return settings
}

// settingsOf returns the minor version of Go whose settings a go line asks for.
// Older ones count as 1.20.
func settingsOf(version string) int { return max(minorOf(version), 20) }

// minorOf returns the 26 of 1.26.4, and 16 for a go.mod without a go line.
func minorOf(version string) int {
	parts := strings.Split(version, ".")
	if len(parts) < 2 {
		return 16
	}
	digits, _, _ := strings.Cut(parts[1], "rc")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 16
	}
	return n
}

// newer returns the later of two versions of a go line.
func newer(a, b string) string {
	if compareVersions(a, b) < 0 {
		return b
	}
	return a
}

func compareVersions(a, b string) int {
	fields := func(s string) (n []int) {
		for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r < '0' || r > '9' }) {
			v, _ := strconv.Atoi(part) // digits only; too many of them count as 0
			n = append(n, v)
		}
		return n
	}
	return slices.Compare(fields(a), fields(b))
}

func (w *workFile) format() []byte {
	var text strings.Builder
	fmt.Fprintf(&text, "go %s\n", w.Go)
	for _, d := range w.Godebug {
		fmt.Fprintf(&text, "godebug %s=%s\n", d.Key, d.Value)
	}
	for _, u := range w.Use {
		fmt.Fprintf(&text, "use %s\n", quoteMod(u.DiskPath))
	}
	for _, r := range w.Replace {
		fmt.Fprintf(&text, "replace %s %s => %s %s\n", quoteMod(r.Old.Path), r.Old.Version, quoteMod(r.New.Path), r.New.Version)
	}
	return []byte(text.String())
}

// quoteMod writes a path so that a go.mod or go.work file can hold it.
func quoteMod(path string) string { return strconv.Quote(path) }

func absolute(root, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(root, path)
}

// absolutePath makes the target of a replacement absolute when it is a
// directory; a module path stays.
func absolutePath(root, path string) string {
	if strings.HasPrefix(path, "./") || strings.HasPrefix(path, "../") || path == "." || path == ".." {
		return filepath.Join(root, path)
	}
	return path
}

func copyIfThere(from, to string) error {
	data, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}

// splitFlags splits the value of $GOFLAGS as the go command does: at spaces,
// but for a flag that is quoted whole.
func splitFlags(s string) (flags []string) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if q := s[0]; q == '\'' || q == '"' {
			if end := strings.IndexByte(s[1:], q); end >= 0 {
				flags = append(flags, s[1:1+end])
				s = s[end+2:]
				continue
			}
		}
		end := strings.IndexAny(s, " \t\n")
		if end < 0 {
			end = len(s)
		}
		flags = append(flags, s[:end])
		s = s[end:]
	}
	return flags
}
