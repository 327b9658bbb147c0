package image

import (
	"bytes"
	"context"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/yolkos/yolk"
)

// TestXsys looks where golang.org/x/sys/unix comes from in the workspace of a
// program, without a network.
func TestXsys(t *testing.T) {
	version := wordAfter(yolk.GoMod, xsysPath+" ")
	sums := ""
	for line := range strings.Lines(yolk.GoSum) {
		if strings.HasPrefix(line, xsysPath+" "+version) {
			sums += line
		}
	}
	const (
		mod  = "module example.com/prog\n\ngo 1.26\n"
		main = "package main\n\nimport _ \"golang.org/x/sys/unix\"\n\nfunc main() {}\n"
	)
	require := "\nrequire " + xsysPath + " " + version + "\n"
	forked := map[string]string{"fork/go.mod": "module " + xsysPath + "\n", "fork/unix/unix.go": "package unix\n"}
	vendored := "# " + xsysPath + " " + version + "\n## explicit; go 1.25\n" + xsysPath + "/cpu\n" + xsysPath + "/unix\n"
	for _, tt := range []struct {
		name  string
		files map[string]string
		more  map[string]string
		want  string // directory of package unix: ours, fork's, vendor's, none
	}{
		{name: "required", files: map[string]string{"go.mod": mod + require, "go.sum": sums}, want: "ours"},
		{
			name: "indirect",
			files: map[string]string{
				"go.mod": mod + "\nrequire example.com/lib v1.0.0\n\n" + strings.TrimSuffix(require, "\n") + " // indirect\n\nreplace example.com/lib => ../lib\n",
				"go.sum": sums,
			},
			more: map[string]string{"lib/go.mod": "module example.com/lib\n\ngo 1.26\n" + require, "lib/go.sum": sums},
			want: "ours",
		},
		{
			name:  "of an older module, whose go.mod does not name it",
			files: map[string]string{"go.mod": "module example.com/prog\n\ngo 1.16\n\nrequire example.com/lib v1.0.0\n\nreplace example.com/lib => ../lib\n", "go.sum": sums},
			more:  map[string]string{"lib/go.mod": "module example.com/lib\n\ngo 1.16\n" + require},
			want:  "ours",
		},
		{
			name:  "replaced in go.mod",
			files: map[string]string{"go.mod": mod + require + "\nreplace " + xsysPath + " => ../fork\n", "go.sum": sums},
			more:  forked, want: "fork",
		},
		{
			name:  "another version replaced in go.mod",
			files: map[string]string{"go.mod": mod + require + "\nreplace " + xsysPath + " v0.1.0 => ../fork\n", "go.sum": sums},
			more:  forked, want: "ours",
		},
		{
			name:  "in a workspace",
			files: map[string]string{"go.mod": mod + require},
			more:  map[string]string{"go.work": "go 1.26\n\nuse ./prog\n", "go.work.sum": sums},
			want:  "ours",
		},
		{
			name:  "replaced in a workspace",
			files: map[string]string{"go.mod": mod + require, "go.sum": sums},
			more:  map[string]string{"go.work": "go 1.26\n\nuse ./prog\n\nreplace " + xsysPath + " => ./fork\n", "fork/go.mod": "module " + xsysPath + "\n", "fork/unix/unix.go": "package unix\n"},
			want:  "fork",
		},
		{
			name: "vendored",
			files: map[string]string{
				"go.mod": mod + require, "go.sum": sums, "vendor/modules.txt": vendored,
				"vendor/" + xsysPath + "/cpu/cpu.go": "package cpu\n", "vendor/" + xsysPath + "/unix/other.go": "package unix\n",
			},
			want: "vendor",
		},
		{
			name: "vendored and replaced",
			files: map[string]string{
				"go.mod": mod + require + "\nreplace " + xsysPath + " => ../fork\n", "go.sum": sums,
				"vendor/modules.txt":                 strings.Replace(vendored, version+"\n", version+" => ../fork\n", 1) + "# " + xsysPath + " => ../fork\n",
				"vendor/" + xsysPath + "/cpu/cpu.go": "package cpu\n", "vendor/" + xsysPath + "/unix/other.go": "package unix\n",
			},
			more: forked, want: "vendored fork",
		},
		{name: "not required", files: map[string]string{"go.mod": mod}, want: "none"},
		{name: "in go.sum only", files: map[string]string{"go.mod": mod, "go.sum": sums}, want: "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, tree := hosted(t), t.TempDir()
			cache := t.TempDir()
			t.Setenv("XDG_CACHE_HOME", cache)
			t.Setenv("GOPROXY", "off")
			t.Setenv("GOFLAGS", "")
			prog := filepath.Join(tree, "prog")
			layOut(t, prog, tt.files)
			layOut(t, prog, map[string]string{"main.go": main})
			layOut(t, tree, tt.more)
			lock(t, tree)
			var trace bytes.Buffer
			b.Trace = &trace
			ws, err := b.workspace(context.Background(), prog)
			if err != nil {
				t.Fatal(err)
			}
			looked := strings.Contains(trace.String(), xsysPath)
			list := slices.Concat([]string{"list", "-e", "-f", "{{.Dir}} {{.GoFiles}} {{.IgnoredGoFiles}}"}, ws.flags, []string{xsysPath + "/unix"})
			out, err := b.goCommand(context.Background(), prog, ws.env, list...)
			if err != nil {
				t.Fatal(err)
			}
			got, files, _ := strings.Cut(string(out), " ")
			ours := strings.Contains(files, "mmap.go")
			switch tt.want {
			case "ours":
				if !ours || !strings.HasPrefix(got, filepath.Join(cache, "yolk", "xsys")) {
					t.Errorf("package unix is %s", out)
				}
				list[3] = "{{.Dir}}"
				list[len(list)-1] = xsysPath + "/cpu"
				if out, err := b.goCommand(context.Background(), prog, ws.env, list...); err != nil || !strings.HasPrefix(string(out), filepath.Dir(got)) {
					t.Errorf("package cpu is %s (%v), want it below %s", out, err, filepath.Dir(got))
				}
			case "fork":
				if got != filepath.Join(tree, "fork/unix") {
					t.Errorf("package unix is %s, want that of the fork", out)
				}
			case "vendor", "vendored fork":
				if ours != (tt.want == "vendor") || !strings.Contains(got, "vendor/"+xsysPath) {
					t.Errorf("package unix is %s", out)
				}
			case "none":
				if _, err := os.Stat(filepath.Join(cache, "yolk")); err == nil {
					t.Error("there is something in the cache")
				}
			}
			if tt.name == "not required" && looked {
				t.Errorf("looked for %s:\n%s", xsysPath, trace.String())
			}
		})
	}
}

// TestXsysOffline has a module in the build list that is not in the module
// cache, but for its go.mod, and cannot be fetched: no matter to a program
// that does not need it.
func TestXsysOffline(t *testing.T) {
	version := wordAfter(yolk.GoMod, xsysPath+" ")
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, m := range []string{xsysPath + "/@v/" + version, tamagoPath + "/@v/" + tamagoVersion} {
		name := filepath.Join("cache/download", m+".mod")
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(cache)), name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	b, tree, own := hosted(t), t.TempDir(), t.TempDir()
	layOut(t, own, files)
	layOut(t, tree, map[string]string{
		"go.mod": "module example.com/prog\n\ngo 1.26\n\nrequire " + xsysPath + " " + version + "\n", "go.sum": yolk.GoSum, "main.go": plain,
	})
	t.Setenv("GOMODCACHE", own)
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "")
	ws, err := b.workspace(context.Background(), tree)
	if err != nil {
		t.Fatal(err)
	}
	list := slices.Concat([]string{"list", "-deps"}, ws.flags, []string{"."})
	if out, err := b.goCommand(context.Background(), tree, ws.env, list...); err != nil || !strings.Contains(string(out), "example.com/prog") {
		t.Errorf("%s: %v", out, err)
	}
}

// TestXsysBuild builds a program that does not import what its module
// requires, and another module's package besides.
func TestXsysBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a small program")
	}
	version := wordAfter(yolk.GoMod, xsysPath+" ")
	b, tree := hosted(t), t.TempDir()
	layOut(t, tree, map[string]string{
		"go.mod":  "module example.com/prog\n\ngo 1.26\n\nrequire " + xsysPath + " " + version + "\n",
		"go.sum":  yolk.GoSum,
		"main.go": "package main\n\nimport \"golang.org/x/sys/cpu\"\n\nfunc main() { println(cpu.X86.HasSSE2) }\n",
	})
	lock(t, tree)
	t.Chdir(tree)
	file := filepath.Join(b.Scratch, "image")
	p, err := b.Program(context.Background(), nil)
	if err == nil {
		err = p.Build(context.Background(), file)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(file).CombinedOutput()
	if err != nil || string(out) != "kernel\ntrue\n" {
		t.Errorf("printed %q (%v)", out, err)
	}
}

// TestXsysLinux compares the guest's package unix with that of Linux: each
// constant has the value and each function the signature that it has there.
func TestXsysLinux(t *testing.T) {
	if testing.Short() {
		t.Skip("reads the sources of golang.org/x/sys/unix")
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("compares with linux/amd64")
	}
	fset := token.NewFileSet()
	source := importer.ForCompiler(fset, "source", nil)
	linux, err := source.Import(xsysPath + "/unix")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	names, err := filepath.Glob("_xsys/unix/*.go")
	if err != nil || len(names) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range names {
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	// Package syscall of Linux lacks a few calls of the guest's: no matter here.
	conf := types.Config{Importer: source, Error: func(error) {}}
	guest, _ := conf.Check(xsysPath+"/unix", fset, files, nil)
	short := func(*types.Package) string { return "" }
	compared := 0
	for _, name := range guest.Scope().Names() {
		if !token.IsExported(name) {
			continue
		}
		g, l := guest.Scope().Lookup(name), linux.Scope().Lookup(name)
		if l == nil {
			t.Errorf("%s does not exist on Linux", name)
			continue
		}
		compared++
		switch g := g.(type) {
		case *types.Const:
			l, ok := l.(*types.Const)
			if !ok || !constant.Compare(g.Val(), token.EQL, l.Val()) {
				t.Errorf("%v, want %v", g, l)
			}
		case *types.Func:
			if got, want := typesOf(g, short), typesOf(l, short); got != want {
				t.Errorf("%s%s, want %s", name, got, want)
			}
		}
	}
	t.Log(compared, "names compared")
}

// typesOf are the types of a function's parameters and results.
func typesOf(f types.Object, q types.Qualifier) string {
	sig, ok := f.Type().(*types.Signature)
	if !ok {
		return f.String()
	}
	var out strings.Builder
	for _, tuple := range []*types.Tuple{sig.Params(), sig.Results()} {
		out.WriteString("(")
		for v := range tuple.Variables() {
			out.WriteString(types.TypeString(types.Unalias(v.Type()), q) + ",")
		}
		out.WriteString(")")
	}
	return out.String()
}
