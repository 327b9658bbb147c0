package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yolkos/yolk"
	"github.com/yolkos/yolk/toolchain/usercache"
)

// What the kernel takes from other modules it has under import paths of its own, in a
// module of its own: a program that requires the same modules gets the versions that it
// asks for, and one that vendors does not have to know of them. The module is made when
// a program first needs it, of what the go command has or fetches, and kept.
const thirdPartyPath = modulePath + "/thirdparty"

// thirdPartyModules are those modules. Their versions and checksums are those of this
// program's own go.mod and go.sum.
var thirdPartyModules = []string{
	"gvisor.dev/gvisor",
	"github.com/google/btree",
	"golang.org/x/exp",
	"golang.org/x/time",
}

// thirdPartyOf returns the module that provides a package, "" if it is none of those.
func thirdPartyOf(pkg string) string {
	for _, m := range thirdPartyModules {
		if pkg == m || strings.HasPrefix(pkg, m+"/") {
			return m
		}
	}
	return ""
}

// ownPaths returns the source file with the imports of such packages by the paths
// that they have in the kernel's module, and which they are.
func ownPaths(name string, src []byte) (out []byte, pkgs []string, err error) {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, name, src, parser.ImportsOnly)
	if err != nil {
		return nil, nil, err
	}
	at := 0
	for _, spec := range f.Imports {
		pkg, err := strconv.Unquote(spec.Path.Value)
		if err != nil || thirdPartyOf(pkg) == "" {
			continue
		}
		pkgs = append(pkgs, pkg)
		begin := files.Position(spec.Path.Pos()).Offset
		out = append(out, src[at:begin]...)
		out = strconv.AppendQuote(out, thirdPartyPath+"/"+pkg)
		at = begin + len(spec.Path.Value)
	}
	return append(out, src[at:]...), pkgs, nil
}

// kernelFile is a file of the kernel's module as programs get it.
func kernelFile(name string, src []byte) ([]byte, error) {
	if !isFile(name) || !slices.ContainsFunc(thirdPartyModules, func(m string) bool { return bytes.Contains(src, []byte(m)) }) {
		return src, nil
	}
	out, _, err := ownPaths(name, src)
	return out, err
}

// thirdParty returns the directory of the module, which is made if it is not there.
func (b *Builder) thirdParty(ctx context.Context) (string, error) {
	place, err := usercache.Find("thirdparty", "the network stack's sources")
	if err != nil {
		return "", err
	}
	roots, err := thirdPartyRoots()
	if err != nil {
		return "", err
	}
	base := place.Path
	h := sha256.New()
	for _, m := range thirdPartyModules {
		fmt.Fprintln(h, m, wordAfter(yolk.GoMod, m+" "))
	}
	fmt.Fprintln(h, roots, guestGo, thirdPartyEdits, addedFiles)
	index := filepath.Join(base, fmt.Sprintf("%x", h.Sum(nil)[:10]))
	if name, err := os.ReadFile(index); err == nil {
		dir := filepath.Join(base, filepath.Base(string(name)))
		if files, err := readTree(dir); err == nil && nameOf(files) == filepath.Base(dir) {
			now := time.Now()
			_, _ = os.Chtimes(dir, now, now), os.Chtimes(index, now, now) // noted for sweep, as far as it goes
			return dir, nil
		}
	}
	modules, err := b.download(ctx)
	if err != nil {
		return "", place.Explain(err)
	}
	files, err := thirdPartyFiles(modules, roots)
	if err != nil {
		return "", place.Explain(err)
	}
	dir, err := unpack(base, files)
	if err == nil {
		err = os.WriteFile(index, []byte(filepath.Base(dir)), 0o644)
	}
	return dir, place.Explain(err)
}

// thirdPartyRoots are the packages that the kernel imports.
func thirdPartyRoots() (roots []string, err error) {
	err = fs.WalkDir(yolk.Guest, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isFile(name) || strings.HasSuffix(name, "_test.go") {
			return err
		}
		src, err := yolk.Guest.ReadFile(name)
		if err != nil || !bytes.Contains(src, []byte(thirdPartyModules[0])) {
			return err
		}
		_, pkgs, err := ownPaths(name, src)
		roots = append(roots, pkgs...)
		return err
	})
	slices.Sort(roots)
	return slices.Compact(roots), err
}

// download returns where the modules lie, which are fetched if the go command does
// not have them.
func (b *Builder) download(ctx context.Context) (map[string]string, error) {
	dir, err := os.MkdirTemp(b.Scratch, "thirdparty-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	mod := fmt.Appendf(nil, "module %s\n\ngo %s\n", thirdPartyPath, guestGo)
	var sum []byte
	for _, m := range thirdPartyModules {
		version := wordAfter(yolk.GoMod, m+" ")
		version, _, _ = strings.Cut(version, " ")
		mod = fmt.Appendf(mod, "require %s %s\n", m, version)
		for line := range strings.Lines(yolk.GoSum) {
			if strings.HasPrefix(line, m+" "+version) {
				sum = append(sum, line...)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), mod, 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600); err != nil {
		return nil, err
	}
	dirs := map[string]string{}
	for _, m := range thirdPartyModules {
		var got struct{ Dir, Error string }
		env := []string{"GOWORK=off", "GOFLAGS=-mod=mod"}
		if err := b.goJSON(ctx, &got, dir, env, "mod", "download", "-json", m); err != nil || got.Dir == "" {
			return nil, fmt.Errorf("%s is not in the module cache and cannot be fetched: %w%s; build a program that uses the network once while a module proxy can be reached", m, err, got.Error)
		}
		dirs[m] = got.Dir
	}
	return dirs, nil
}

// thirdPartyFiles makes the module's files: the packages roots, and those that they
// need in turn, with the licences of the modules, and edited.
func thirdPartyFiles(modules map[string]string, roots []string) (map[string][]byte, error) {
	// The build tag "tamago" decides nothing in them. They are matched as the
	// toolchain does it for the kernel's own packages.
	target := build.Default
	target.GOOS, target.GOARCH, target.CgoEnabled, target.Compiler = "tamago", "amd64", false, "gc"
	files := map[string][]byte{"go.mod": fmt.Appendf(nil, "module %s\n\ngo %s\n", thirdPartyPath, guestGo)}
	done := map[string]bool{}
	for todo := slices.Clone(roots); len(todo) > 0; {
		pkg := todo[0]
		todo = todo[1:]
		if done[pkg] {
			continue
		}
		done[pkg] = true
		module := thirdPartyOf(pkg)
		dir := filepath.Join(modules[module], strings.TrimPrefix(pkg, module))
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			name := filepath.Join(dir, e.Name())
			ext := filepath.Ext(name)
			if strings.HasSuffix(name, "_test.go") || ext != ".go" && ext != ".s" && ext != ".h" {
				continue
			}
			if ok, err := target.MatchFile(dir, e.Name()); err != nil || !ok && ext != ".h" {
				continue
			}
			src, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			if src, err = edited(thirdPartyEdits, path.Join(pkg, e.Name()), src); err != nil {
				return nil, err
			}
			if ext == ".go" {
				var needs []string
				if src, needs, err = ownPaths(name, src); err != nil {
					return nil, err
				}
				todo = append(todo, needs...)
			}
			files[path.Join(pkg, e.Name())] = src
		}
		if _, ok := files[path.Join(module, "LICENSE")]; !ok {
			text, err := os.ReadFile(filepath.Join(modules[module], "LICENSE"))
			if err != nil {
				return nil, err
			}
			files[path.Join(module, "LICENSE")] = text
		}
	}
	for name, src := range addedFiles {
		var err error
		if files[name], _, err = ownPaths(name, src); err != nil {
			return nil, err
		}
	}
	for _, name := range editedFiles() {
		if files[name] == nil {
			return nil, fmt.Errorf("%s is to be edited, and not there", name)
		}
	}
	return files, nil
}

// readTree reads the files below a directory.
func readTree(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(rel)], err = os.ReadFile(name)
		return err
	})
	return files, err
}
