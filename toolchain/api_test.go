package toolchain

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	gobuild "go/build"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestAPI compares what packages export on the target with what they export on
// Linux: names, kinds, types, fields, methods, and the values of constants. A
// package that is written for Linux has to compile.
func TestAPI(t *testing.T) {
	s, err := findStock(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	files, err := builtin().render(s, s.Version+"-yolk.test")
	if err != nil {
		t.Fatal(err)
	}
	linux, target := newAPI(s.Root, "linux", nil), newAPI(s.Root, "tamago", files)
	for _, pkg := range []string{"crypto/x509", "net", "os", "os/exec", "os/signal", "os/user", "runtime", "syscall", "time"} {
		t.Run(pkg, func(t *testing.T) {
			want, err := linux.exports(pkg)
			if err != nil {
				t.Fatal(err)
			}
			got, err := target.exports(pkg)
			if err != nil {
				t.Fatal(err)
			}
			if len(want) < 5 {
				t.Fatalf("Linux's exports only %v", want)
			}
			names := maps.Clone(want)
			maps.Copy(names, got)
			for _, name := range slices.Sorted(maps.Keys(names)) {
				if apiOfOurs[pkg+"."+name] != "" {
					if want[name] != "" || got[name] == "" {
						t.Errorf("%s is not ours alone, take it off the list", name)
					}
				} else if got[name] != want[name] {
					t.Errorf("%s is\n%s\non Linux\n%s", name, orNothing(got[name]), orNothing(want[name]))
				}
			}
		})
	}
}

// apiOfOurs is what only the target's packages export, and why.
var apiOfOurs = map[string]string{
	"net.SocketFunc":     "a program's own network stack, as with TamaGo",
	"os/signal.Relay":    "the kernel sends signals by it",
	"os/signal.Waiting":  "the kernel asks whether a signal can still come",
	"runtime.DataRegion": "the bounds of the image, as with TamaGo",
	"runtime.MemRegion":  "the bounds of the memory, as with TamaGo",
	"runtime.TextRegion": "the bounds of the code, as with TamaGo",
	"syscall.Kernel":     "what stands below the package: package syscalls implements it",
	"syscall.SetKernel":  "puts it there",
}

func orNothing(decl string) string {
	if decl == "" {
		return "not there"
	}
	return decl
}

// api reads packages of a GOROOT, some of whose files may be others.
type api struct {
	root     string
	fset     *token.FileSet
	match    gobuild.Context
	files    map[string][]byte // by their names below root
	packages map[string]*types.Package
}

func newAPI(root, goos string, files map[string][]byte) *api {
	a := &api{root: root, fset: token.NewFileSet(), match: gobuild.Default, files: files, packages: map[string]*types.Package{"unsafe": types.Unsafe}}
	a.match.GOOS, a.match.GOARCH, a.match.CgoEnabled = goos, "amd64", false
	a.match.OpenFile = func(name string) (io.ReadCloser, error) {
		src, err := a.read(name)
		return io.NopCloser(bytes.NewReader(src)), err
	}
	return a
}

func (a *api) read(name string) ([]byte, error) {
	if below, ok := strings.CutPrefix(name, a.root+"/"); ok && a.files[below] != nil {
		return a.files[below], nil
	}
	return os.ReadFile(name)
}

// Import implements types.Importer: bodies of functions are left out.
func (a *api) Import(pkg string) (*types.Package, error) {
	if p := a.packages[pkg]; p != nil {
		return p, nil
	}
	below := "src/" + pkg
	if first, _, _ := strings.Cut(pkg, "/"); strings.Contains(first, ".") {
		below = "src/vendor/" + pkg
	}
	dir := filepath.Join(a.root, below)
	names := map[string]bool{}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		names[e.Name()] = true
	}
	for name := range a.files {
		if path.Dir(name) == below {
			names[path.Base(name)] = true
		}
	}
	if len(names) == 0 {
		return nil, err
	}
	var files []*ast.File
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if ok, err := a.match.MatchFile(dir, name); err != nil || !ok {
			if err != nil {
				return nil, err
			}
			continue
		}
		full := filepath.Join(dir, name)
		src, err := a.read(full)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(a.fset, full, src, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	config := types.Config{Importer: a, IgnoreFuncBodies: true, Sizes: types.SizesFor("gc", "amd64")}
	p, err := config.Check(pkg, a.fset, files, nil)
	if err != nil {
		return nil, err
	}
	a.packages[pkg] = p
	return p, nil
}

// exports returns the declarations that a package exports, by their names,
// methods as Type.Method. What it does not export of a struct is left out, but
// for that there is something.
func (a *api) exports(pkg string) (map[string]string, error) {
	p, err := a.Import(pkg)
	if err != nil {
		return nil, err
	}
	full := func(p *types.Package) string { return p.Path() }
	decls := map[string]string{}
	for _, name := range p.Scope().Names() {
		obj := p.Scope().Lookup(name)
		if !obj.Exported() {
			continue
		}
		decl := types.ObjectString(obj, full)
		switch obj := obj.(type) {
		case *types.Const:
			decl += " = " + obj.Val().ExactString()
		case *types.Func:
			decl = "func" + signature(obj, full)
		case *types.TypeName:
			methods := types.NewMethodSet(types.NewPointer(obj.Type()))
			for m := range methods.Methods() {
				if m.Obj().Exported() {
					decls[name+"."+m.Obj().Name()] = "method" + signature(m.Obj(), full)
				}
			}
			if st, ok := obj.Type().Underlying().(*types.Struct); ok {
				decl = fmt.Sprintf("type %s struct", name)
				for f := range st.Fields() {
					if f.Exported() {
						decl += fmt.Sprintf("; %s %s", f.Name(), types.TypeString(f.Type(), full))
					} else if !strings.HasSuffix(decl, "; _") {
						decl += "; _"
					}
				}
			}
		}
		decls[name] = decl
	}
	return decls, nil
}

// signature returns the types of a function's parameters and results: their names
// are no matter.
func signature(f types.Object, full types.Qualifier) string {
	sig := f.Type().(*types.Signature)
	list := func(tuple *types.Tuple) string {
		var all []string
		for v := range tuple.Variables() {
			all = append(all, types.TypeString(v.Type(), full))
		}
		return "(" + strings.Join(all, ", ") + ")"
	}
	variadic := ""
	if sig.Variadic() {
		variadic = " with the last one variadic"
	}
	return list(sig.Params()) + " " + list(sig.Results()) + variadic
}
