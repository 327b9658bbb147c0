package image

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// moduleFlagsTree has programs that say which files they were made of.
var moduleFlagsTree = map[string]string{
	"m/go.mod":                        "module example.com/m\n\ngo 1.24\n\nreplace example.com/lib => ./lib\n",
	"m/main.go":                       mainGo,
	"m/lib/go.mod":                    "module example.com/lib\n\ngo 1.24\n",
	"m/lib/lib.go":                    libGo,
	"m/main_test.go":                  "package main\n\nimport (\n\t\"example.com/lib\"\n\t\"testing\"\n)\n\nfunc TestIt(t *testing.T) { println(lib.Name) }\n",
	"whole.mod":                       "module example.com/m\n\ngo 1.24\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => ../other\n",
	"other/go.mod":                    "module example.com/lib\n\ngo 1.24\n",
	"other/lib.go":                    "package lib\n\nconst Name = \"other\"\n",
	"text":                            "package main\n\nfunc main() { println(\"overlay\") }\n",
	"overlay.json":                    `{"Replace": {"m/main.go": "text", "m/main_test.go": ""}}`,
	"broken.json":                     `{"Replace": ["m"]}`,
	"v/go.mod":                        "module example.com/v\n\ngo 1.24\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => ../m/lib\n",
	"v/main.go":                       mainGo,
	"v/vendor/example.com/lib/lib.go": "package lib\n\nconst Name = \"vendored\"\n",
	"v/vendor/modules.txt":            "# example.com/lib v0.0.0 => ../m/lib\n## explicit; go 1.24\nexample.com/lib\n# example.com/lib => ../m/lib\n",
	"w/go.work":                       "go 1.24\n\nuse ./p\n",
	"w/p/go.mod":                      "module example.com/p\n\ngo 1.24\n",
	"w/p/main.go":                     plain,
	"w/p/x.prof":                      "",
}

// TestModuleFlags gives the flags that say which modules and files there are, on the command
// line and in $GOFLAGS, from another directory than the program's.
func TestModuleFlags(t *testing.T) {
	if testing.Short() {
		t.Skip("builds some small programs")
	}
	for _, tt := range []struct {
		name, flags, goflags, pkg string
		want                      string // output, or "error: " and a part of it
	}{
		{name: "none", pkg: "./m", want: "error: example.com/lib"},
		{name: "mod", flags: "-mod=mod", pkg: "./m", want: "kernel\nlib\n"},
		{name: "mod in GOFLAGS", goflags: "-mod=mod", pkg: "./m", want: "kernel\nlib\n"},
		{name: "the command line counts", flags: "-mod=readonly", goflags: "-mod=mod", pkg: "./m", want: "error: example.com/lib"},
		{name: "modfile", flags: "-modfile=whole.mod", pkg: "./m", want: "kernel\nother\n"},
		{name: "modfile in GOFLAGS", goflags: "-modfile=whole.mod", pkg: "./m", want: "kernel\nother\n"},
		{name: "overlay", flags: "-overlay=overlay.json", pkg: "./m", want: "kernel\noverlay\n"},
		{name: "overlay in GOFLAGS", goflags: "-overlay=overlay.json", pkg: "./m", want: "kernel\noverlay\n"},
		{name: "overlay and modfile", flags: "-modfile=whole.mod", goflags: "-overlay=overlay.json", pkg: "./m", want: "kernel\noverlay\n"},
		{name: "vendored", pkg: "./v", want: "kernel\nvendored\n"},
		{name: "vendored, mod", flags: "-mod=mod", pkg: "./v", want: "kernel\nlib\n"},
		{name: "vendored, readonly", goflags: "-mod=readonly", pkg: "./v", want: "kernel\nlib\n"},
		{name: "vendored, vendor", flags: "-mod=vendor", pkg: "./v", want: "kernel\nvendored\n"},
		{name: "defaults of a distribution", goflags: "-buildmode=pie -trimpath -mod=readonly -modcacherw", pkg: "./w/p", want: "kernel\nplain\n"},
		{name: "a profile in GOFLAGS", goflags: "-pgo=none.prof", pkg: "./w/p", want: "error: /none.prof"},
		{name: "a workspace", pkg: "./w/p", want: "kernel\nplain\n"},

		{name: "vendor without one", flags: "-mod=vendor", pkg: "./m", want: "error: which go mod vendor makes"},
		{name: "mod in a workspace", flags: "-mod=mod", pkg: "./w/p", want: "error: -mod may only be set to readonly or vendor when in workspace mode"},
		{name: "modfile in a workspace", flags: "-modfile=whole.mod", pkg: "./w/p", want: "error: GOWORK=off"},
		{name: "another mod", goflags: "-mod=x", pkg: "./m", want: "error: GOFLAGS: -mod=x: want mod, readonly or vendor"},
		{name: "no such modfile", flags: "-modfile=none.mod", pkg: "./m", want: "error: /none.mod: no such file"},
		{name: "no such overlay", flags: "-overlay=none.json", pkg: "./m", want: "error: /none.json: no such file"},
		{name: "no overlay", flags: "-overlay=broken.json", pkg: "./m", want: "error: /broken.json: json: "},
		{name: "a dry run", goflags: "-n", pkg: "./m", want: "error: GOFLAGS: -n: nothing is built"},
		{name: "no flag", goflags: "-nonsense", pkg: "./w/p", want: "error: $GOFLAGS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, tree := hosted(t), t.TempDir()
			layOut(t, tree, moduleFlagsTree)
			t.Chdir(tree)
			t.Setenv("GOFLAGS", tt.goflags)
			image := filepath.Join(b.Scratch, "image")
			p, err := b.Program(context.Background(), []string{tt.pkg}, strings.Fields(tt.flags)...)
			if err == nil {
				err = p.Build(context.Background(), image)
			}
			if want, ok := strings.CutPrefix(tt.want, "error: "); ok {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want one with %q", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(image).CombinedOutput(); err != nil || string(out) != tt.want {
				t.Errorf("%q, %v, want %q", out, err, tt.want)
			}
			mod, err := os.ReadFile("m/go.mod")
			if changed := strings.Contains(string(mod), "require example.com/lib"); err != nil || changed != (tt.want == "kernel\nlib\n" && tt.pkg == "./m") {
				t.Errorf("go.mod: %v\n%s", err, mod)
			}
		})
	}
}

// TestModuleFlagsOfTests does the same to go test, where flags stand behind the packages as
// well, and to other go commands.
func TestModuleFlagsOfTests(t *testing.T) {
	if testing.Short() {
		t.Skip("builds some small tests")
	}
	for _, tt := range []struct{ args, goflags, want string }{
		{"-mod=mod .", "", "lib"},
		{". -mod mod", "", "lib"},
		{"-modfile=../whole.mod", "", "other"},
		{"", "-modfile=../whole.mod", "other"},
		{". -overlay ../tests.json", "-mod=mod", "instead"},
		{"-mod=mod . -tags=tagged", "", "tagged"},
	} {
		b, tree := hosted(t), t.TempDir()
		layOut(t, tree, moduleFlagsTree)
		layOut(t, tree, map[string]string{
			"tests.json": `{"Replace": {"main_test.go": "../instead"}}`,
			"instead":    "package main\n\nimport \"testing\"\n\nfunc TestIt(t *testing.T) { println(\"instead\") }\n",
		})
		if strings.Contains(tt.args, "tagged") {
			layOut(t, tree, map[string]string{
				"m/main_test.go":   "package main\n",
				"m/tagged_test.go": "//go:build tagged && linkcpuinit\n\npackage main\n\nimport \"testing\"\n\nfunc TestIt(t *testing.T) { println(\"tagged\") }\n",
			})
		}
		t.Chdir(filepath.Join(tree, "m"))
		t.Setenv("GOFLAGS", tt.goflags)
		run := func(cmd Command, err error) string {
			if err != nil {
				return err.Error()
			}
			c := exec.Command(cmd.Args[0], cmd.Args[1:]...)
			c.Dir, c.Env = cmd.Dir, cmd.Env
			out, err := c.CombinedOutput()
			if err != nil {
				return err.Error() + ": " + string(out)
			}
			return string(out)
		}
		wd, _ := os.Getwd()
		if got := run(b.Test(context.Background(), wd, "env BOOTED=1", append([]string{"-v", "-count=1"}, strings.Fields(tt.args)...))); !strings.HasPrefix(got, "kernel\n=== RUN   TestIt\n"+tt.want+"\n") {
			t.Errorf("test %q, GOFLAGS=%s: %q, want %q", tt.args, tt.goflags, got, tt.want)
		}
		if strings.Contains(tt.args+tt.goflags, "modfile") {
			b.Scratch = t.TempDir()
			args := append(append([]string{"list"}, strings.Fields(tt.args)...), "-f", "{{.Dir}}", "example.com/lib")
			if got := run(b.Go(context.Background(), wd, args)); got != filepath.Join(tree, "other")+"\n" {
				t.Errorf("list %q, GOFLAGS=%s: %q", tt.args, tt.goflags, got)
			}
		}
	}
}
