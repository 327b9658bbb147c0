package image

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// proxy makes a module proxy of files, each named module@version/file, and has
// the go command use it, with a module cache of its own. What is not there comes
// from the module cache of before.
func proxy(t *testing.T, files map[string]string) {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	cache, build, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	t.Setenv("GOCACHE", build)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	modules := map[string]*bytes.Buffer{}
	zips := map[string]*zip.Writer{}
	for name, text := range files {
		module, rest, _ := strings.Cut(name, "@")
		version, file, _ := strings.Cut(rest, "/")
		key := module + "@" + version
		if zips[key] == nil {
			modules[key] = &bytes.Buffer{}
			zips[key] = zip.NewWriter(modules[key])
		}
		w, err := zips[key].Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if file == "go.mod" {
			layOut(t, dir, map[string]string{module + "/@v/" + version + ".mod": text})
		}
	}
	for key, z := range zips {
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		module, version, _ := strings.Cut(key, "@")
		list, _ := os.ReadFile(filepath.Join(dir, module, "@v/list"))
		layOut(t, dir, map[string]string{
			module + "/@v/" + version + ".zip":  modules[key].String(),
			module + "/@v/" + version + ".info": `{"Version":"` + version + `"}`,
			module + "/@v/list":                 string(list) + version + "\n",
		})
	}
	t.Setenv("GOPROXY", "file://"+dir+",file://"+cache+"/cache/download")
	downloaded := t.TempDir()
	t.Cleanup(func() { // what a build downloads with flags of its own, only root can remove as it is
		_ = filepath.WalkDir(downloaded, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				err = os.Chmod(name, 0o700)
			}
			return err
		})
	})
	t.Setenv("GOMODCACHE", downloaded)
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GONOSUMDB", "example.com")
	t.Setenv("GONOPROXY", "none")
	t.Setenv("GOPRIVATE", "")
}

// A package with a version is built with its own module's requirements,
// whatever the module in the working directory wants.
func TestRemote(t *testing.T) {
	if testing.Short() {
		t.Skip("builds some small programs")
	}
	tool := func(version, lib string) map[string]string {
		return map[string]string{
			"example.com/tool@" + version + "/go.mod":           "module example.com/tool\n\ngo 1.21\n\nrequire example.com/lib " + lib + "\n",
			"example.com/tool@" + version + "/main.go":          mainGo,
			"example.com/tool@" + version + "/cmd/loop/v2/m.go": "package main\n\nfunc main() {\n\tvar f []func()\n\tfor i := 0; i < 2; i++ { f = append(f, func() { println(i) }) }\n\tf[0]()\n}\n",
			"example.com/tool@" + version + "/lib/lib.go":       "package lib\n",
		}
	}
	files := map[string]string{
		"example.com/lib@v1.0.0/go.mod": "module example.com/lib\n", "example.com/lib@v1.0.0/lib.go": "package lib\n\nconst Name = \"old\"\n",
		"example.com/lib@v1.1.0/go.mod": "module example.com/lib\n", "example.com/lib@v1.1.0/lib.go": "package lib\n\nconst Name = \"new\"\n",
		"example.com/late@v1.0.0/go.mod": "module example.com/late\n\ngo 1.99\n", "example.com/late@v1.0.0/main.go": plain,
	}
	for _, f := range []map[string]string{tool("v1.0.0", "v1.0.0"), tool("v1.2.0", "v1.1.0")} {
		for name, text := range f {
			files[name] = text
		}
	}
	proxy(t, files)
	own := "module example.com/own\n\ngo 1.22\n\nrequire (\n\texample.com/lib v1.1.0\n\texample.com/tool v1.2.0\n)\n"
	for _, tt := range []struct{ arg, want, prog string }{
		{"example.com/tool@v1.0.0", "kernel\nold\n", "tool"},
		{"example.com/tool@v1.2.0", "kernel\nnew\n", "tool"},
		{"example.com/tool@latest", "kernel\nnew\n", "tool"},
		{"example.com/tool/cmd/loop/v2@v1.0.0", "kernel\n2\n", "loop"},
		{"example.com/tool/lib@v1.0.0", "error: is not a main package", ""},
		{"example.com/tool@v9.9.9", "error: v9.9.9", ""},
		{"example.com/none@v1.0.0", "error: example.com/none", ""},
		{"example.com/late@v1.0.0", "error: example.com/late@v1.0.0 wants Go 1.99, and Yolk builds with Go 1.26", ""},
		{"example.com/tool@", "error: want PACKAGE@VERSION", ""},
		{"@v1.0.0", "error: want PACKAGE@VERSION", ""},
	} {
		t.Run(tt.arg, func(t *testing.T) {
			b, tree := hosted(t), t.TempDir()
			b.Toolchain.Version = "go1.26.8-yolk.test"
			layOut(t, tree, map[string]string{"go.mod": own, "main.go": plain})
			lock(t, tree)
			t.Chdir(tree)
			checkProgram(t, b, []string{tt.arg}, tt.want, tt.prog)
		})
	}
}

// A main package of a module that is only required lies in the module cache, where
// an overlay is not seen by itself.
func TestRequiredProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a small program")
	}
	proxy(t, map[string]string{
		"example.com/tool@v1.0.0/go.mod": "module example.com/tool\n\ngo 1.21\n", "example.com/tool@v1.0.0/main.go": plain,
	})
	b, tree := hosted(t), t.TempDir()
	layOut(t, tree, map[string]string{
		"go.mod": "module example.com/own\n\ngo 1.24\n\nrequire example.com/tool v1.0.0\n\ntool example.com/tool\n",
		"own.go": "package own\n",
	})
	t.Chdir(tree)
	if out, err := exec.Command("go", "mod", "tidy").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lock(t, tree)
	file := filepath.Join(b.Scratch, "image")
	p, err := b.Program(t.Context(), []string{"example.com/tool"})
	if err == nil {
		err = p.Build(t.Context(), file)
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(file).CombinedOutput(); err != nil || string(out) != "kernel\nplain\n" {
		t.Errorf("printed %q (%v)", out, err)
	}
}

// What a module lists settles which module a package comes from, as without Yolk, though
// the graph has another one with that package: one that was split, and is listed by none
// but those that require it.
func TestSplitModule(t *testing.T) {
	if testing.Short() {
		t.Skip("builds some small programs")
	}
	name := func(text string) string { return "package p\n\nconst Name = \"" + text + "\"\n" }
	proxy(t, map[string]string{
		"example.com/mono@v1.0.0/go.mod": "module example.com/mono\n", "example.com/mono@v1.0.0/sub/p/p.go": name("old"), "example.com/mono@v1.0.0/q/q.go": "package q\n",
		"example.com/mono/sub@v1.1.0/go.mod": "module example.com/mono/sub\n\ngo 1.17\n", "example.com/mono/sub@v1.1.0/p/p.go": name("new"),
		"example.com/mid@v1.0.0/go.mod": "module example.com/mid\n\ngo 1.17\n\nrequire example.com/mono v1.0.0\n",
		"example.com/mid@v1.0.0/mid.go": "package mid\n\nimport _ \"example.com/mono/sub/p\"\n", "example.com/mid@v1.0.0/use/use.go": "package use\n\nimport _ \"example.com/mono/q\"\n",
		"example.com/tool@v1.0.0/go.mod":  "module example.com/tool\n\ngo 1.21\n\nrequire (\n\texample.com/mid v1.0.0\n\texample.com/mono/sub v1.1.0\n)\n",
		"example.com/tool@v1.0.0/main.go": splitMain,
	})
	split := "module example.com/m\n\ngo %s\n\nrequire (\n\texample.com/mid v1.0.0\n\texample.com/mono/sub v1.1.0\n)\n"
	for _, tt := range []struct{ name, mod, arg, want string }{
		{"listed", strings.ReplaceAll(split, "%s", "1.17"), ".", "kernel\nnew\n"},
		{"by its version", "module example.com/m\n", "example.com/tool@v1.0.0", "kernel\nnew\n"},
		// Both are: so it is ambiguous, as without Yolk.
		{"both listed", strings.ReplaceAll(split, "%s", "1.17") + "require example.com/mono v1.0.0\n", ".", "error: ambiguous import"},
		{"listed by an old module", strings.ReplaceAll(split, "%s", "1.16"), ".", "error: ambiguous import"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, tree := hosted(t), t.TempDir()
			layOut(t, tree, map[string]string{"go.mod": tt.mod, "main.go": splitMain})
			t.Chdir(tree)
			t.Setenv("GOFLAGS", "-modcacherw -mod=mod")
			plain := exec.Command("go", "mod", "download", "all") // for the checksums
			plain.Env = append(os.Environ(), "GOWORK=off")
			if out, err := plain.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			lock(t, tree)
			checkProgram(t, b, []string{tt.arg}, tt.want, "")
			if strings.HasPrefix(tt.want, "error: ") || tt.arg != "." {
				return
			}
			cmd, err := b.Go(t.Context(), tree, []string{"list", "-deps", "."})
			if err != nil {
				t.Fatal(err)
			}
			c := exec.Command(cmd.Args[0], cmd.Args[1:]...)
			c.Dir, c.Env = cmd.Dir, cmd.Env
			if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "example.com/mono/sub/p\n") {
				t.Errorf("go list: %v, %s", err, out)
			}
		})
	}
}

const splitMain = `package main

import (
	"fmt"

	_ "example.com/mid"
	"example.com/mono/sub/p"
)

func main() { fmt.Println(p.Name) }
`

func TestOvershadowed(t *testing.T) {
	graph := []string{"a.com/mono", "a.com/mono/sub", "a.com/mono/sub/deep", "a.com/monolith", "b.com/x", "a.com"}
	for _, tt := range []struct{ listed, want []string }{
		{[]string{"a.com/mono/sub"}, []string{"a.com/mono", "a.com/mono/sub/deep", "a.com"}},
		{[]string{"a.com/mono", "a.com/mono/sub", "b.com/x"}, []string{"a.com/mono/sub/deep", "a.com"}},
		{[]string{"c.com"}, nil},
	} {
		if got := overshadowed(graph, tt.listed); !slices.Equal(got, tt.want) {
			t.Errorf("listed %v: %v, want %v", tt.listed, got, tt.want)
		}
	}
}
