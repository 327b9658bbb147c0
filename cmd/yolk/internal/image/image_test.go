package image

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/cmd/yolk/internal/layout"
	"github.com/yolkos/yolk/toolchain"
)

// hosted makes a Builder whose go command is the machine's and builds for the
// machine itself, and whose kernel only says that it is there.
func hosted(t *testing.T) *Builder {
	t.Helper()
	goRoot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := "#!/bin/sh\nexport GOOS= GOARCH= GOOSPKG= GOROOT=\nexec '" + strings.TrimSpace(string(goRoot)) + "/bin/go' \"$@\"\n"
	layOut(t, dir, map[string]string{"go": script})
	if err := os.Chmod(dir+"/go", 0o755); err != nil {
		t.Fatal(err)
	}
	files, err := guestFiles()
	if err != nil {
		t.Fatal(err)
	}
	guest := t.TempDir()
	layOut(t, guest, map[string]string{
		"go.mod":                    string(files["go.mod"]),
		"go.sum":                    string(files["go.sum"]),
		"kernel/kernel.go":          "package kernel\n\nimport _ \"github.com/usbarmory/tamago/bits\"\n\nfunc init() { println(\"kernel\") }\n",
		"kernel/calls/calls.go":     "package calls\n",
		"kernel/network/network.go": "package network\n",
		"kernel/roots/roots.go":     "package roots\n",
		"kernel/zones/zones.go":     "package zones\n",
		"kernel/diskfs/diskfs.go":   "package diskfs\n",
	})
	return &Builder{Toolchain: &toolchain.Toolchain{Go: dir + "/go"}, Guest: guest, Scratch: t.TempDir()}
}

// layOut makes files with their contents below a directory.
var layOut = layout.Files

// lock makes a tree unwritable for this test, as far as root lets it, and
// reports at the end what has changed in it.
func lock(t *testing.T, dir string) {
	t.Helper()
	before := listing(t, dir)
	t.Cleanup(func() {
		if after := listing(t, dir); after != before {
			t.Errorf("the tree has changed from\n%s\nto\n%s", before, after)
		}
	})
}

func listing(t *testing.T, dir string) string {
	var out strings.Builder
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(name, &st); err != nil {
			return err
		}
		fmt.Fprintln(&out, name, st.Size, st.Mtim)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const (
	libGo  = "package lib\n\nconst Name = \"lib\"\n"
	mainGo = "package main\n\nimport \"example.com/lib\"\n\nfunc main() { println(lib.Name) }\n"
	plain  = "package main\n\nfunc main() { println(\"plain\") }\n"
)

func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("builds some small programs")
	}
	for _, tt := range []struct {
		name  string
		files map[string]string
		dir   string // where yolk is called
		args  []string
		want  string // output, or "error: " and a part of it
		prog  string
	}{
		{
			name:  "module",
			files: map[string]string{"go.mod": "module example.com/prog\n\ngo 1.21\n", "main.go": plain},
			want:  "kernel\nplain\n", prog: "prog",
		},
		{
			name:  "directory of another module",
			files: map[string]string{"m/go.mod": "module example.com/m\n\ngo 1.16\n", "m/cmd/one/main.go": plain},
			args:  []string{"./m/cmd/one"}, want: "kernel\nplain\n", prog: "one",
		},
		{
			name:  "file outside a module",
			files: map[string]string{"x/hello.go": plain, "x/other.go": "package other\n"},
			args:  []string{"x/hello.go"}, want: "kernel\nplain\n", prog: "x",
		},
		{
			name: "replaced dependency",
			files: map[string]string{
				"go.mod":     "module example.com/prog\n\ngo 1.22\n\nrequire example.com/lib v1.0.0\n\nreplace example.com/lib => ./lib\n",
				"lib/go.mod": "module example.com/lib\n", "lib/lib.go": libGo, "main.go": mainGo,
			},
			want: "kernel\nlib\n", prog: "prog",
		},
		{
			name: "workspace of the user's",
			files: map[string]string{
				"go.work": "go 1.22\n\nuse ./prog\nuse ./lib\n", "prog/go.mod": "module example.com/prog\n\ngo 1.22\n",
				"lib/go.mod": "module example.com/lib\n\ngo 1.20\n", "lib/lib.go": libGo, "prog/main.go": mainGo,
			},
			dir: "prog", want: "kernel\nlib\n", prog: "prog",
		},
		{
			name: "workspace with a replacement",
			files: map[string]string{
				"go.work":      "go 1.22\n\nuse ./prog\n\nreplace example.com/lib v1.0.0 => ./other\n",
				"prog/go.mod":  "module example.com/prog\n\ngo 1.22\n\nrequire example.com/lib v1.0.0\n",
				"other/go.mod": "module example.com/lib\n", "other/lib.go": libGo, "prog/main.go": mainGo,
			},
			dir: "prog", want: "kernel\nlib\n", prog: "prog",
		},
		{
			name: "vendor directory",
			files: map[string]string{
				"go.mod":  "module example.com/prog\n\ngo 1.22\n\nrequire example.com/lib v1.0.0\n",
				"main.go": mainGo, "vendor/example.com/lib/lib.go": libGo,
				"vendor/modules.txt": "# example.com/lib v1.0.0\n## explicit\nexample.com/lib\n",
			},
			want: "kernel\nlib\n", prog: "prog",
		},
		{
			name: "vendor directory and a replacement",
			files: map[string]string{
				"go.mod":  "module example.com/prog\n\ngo 1.22\n\nrequire example.com/lib v1.0.0\n\nreplace example.com/lib => ./lib\n",
				"main.go": mainGo, "lib/go.mod": "module example.com/lib\n", "lib/lib.go": libGo,
				"vendor/example.com/lib/lib.go": libGo,
				"vendor/modules.txt":            "# example.com/lib v1.0.0 => ./lib\n## explicit\nexample.com/lib\n# example.com/lib => ./lib\n",
			},
			want: "kernel\nlib\n", prog: "prog",
		},
		{
			name: "workspace with a vendor directory",
			files: map[string]string{
				"go.work": "go 1.22\n\nuse ./prog\n", "prog/go.mod": "module example.com/prog\n\ngo 1.22\n\nrequire example.com/lib v1.0.0\n",
				"prog/main.go": mainGo, "vendor/example.com/lib/lib.go": libGo,
				"vendor/modules.txt": "## workspace\n# example.com/lib v1.0.0\n## explicit\nexample.com/lib\n",
			},
			dir: "prog", want: "kernel\nlib\n", prog: "prog",
		},
		{
			name: "language version and settings of an old module",
			files: map[string]string{
				"go.mod": "module example.com/prog\n\ngo 1.21\n",
				"main.go": "package main\n\nimport \"runtime/debug\"\n\nfunc main() {\n\tvar f []func()\n" +
					"\tfor i := 0; i < 2; i++ { f = append(f, func() { println(i) }) }\n\tf[0]()\n" +
					"\tinfo, _ := debug.ReadBuildInfo()\n\tfor _, s := range info.Settings {\n" +
					"\t\tif s.Key == \"DefaultGODEBUG\" { println(s.Value != \"\") }\n\t}\n}\n",
			},
			want: "kernel\n2\ntrue\n", prog: "prog",
		},
		{
			name:  "the kernel's own module",
			files: map[string]string{"go.mod": "module " + modulePath + "\n", "kernel/k.go": "package kernel\n\nfunc init() { println(\"own\") }\n", "cmd/p/main.go": plain},
			args:  []string{"./cmd/p"}, want: "own\nplain\n", prog: "p",
		},
		{
			name:  "not a main package",
			files: map[string]string{"go.mod": "module example.com/lib\n", "lib.go": libGo},
			want:  "error: is not a main package",
		},
		{
			name:  "nothing there",
			files: map[string]string{"go.mod": "module example.com/lib\n"},
			want:  "error: no Go files",
		},
		{
			name:  "several packages",
			files: map[string]string{"go.mod": "module example.com/p\n", "a/a.go": plain, "b/b.go": plain},
			args:  []string{"./..."}, want: "error: want one main package",
		},
		{
			name:  "program that does not compile",
			files: map[string]string{"go.mod": "module example.com/p\n", "a.go": "package main\n\nfunc main() { nothing() }\n"},
			want:  "error: undefined: nothing",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, tree := hosted(t), t.TempDir()
			layOut(t, tree, tt.files)
			lock(t, tree)
			t.Chdir(filepath.Join(tree, tt.dir))
			checkProgram(t, b, tt.args, tt.want, tt.prog)
		})
	}
}

// checkProgram builds the program that args name and runs it: it has that name, unless none
// is given, and prints what is wanted. Where that is "error: " and a part of an error, it
// is not built, for that reason.
func checkProgram(t *testing.T, b *Builder, args []string, want, name string) {
	t.Helper()
	file := filepath.Join(b.Scratch, "image")
	p, err := b.Program(t.Context(), args)
	if err == nil {
		err = p.Build(t.Context(), file)
	}
	if part, ok := strings.CutPrefix(want, "error: "); ok {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Fatalf("error %v, want one with %q", err, part)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(file).CombinedOutput()
	if err != nil || string(out) != want || name != "" && p.Name != name {
		t.Errorf("program %s printed %q (%v), want %s, %q", p.Name, out, err, name, want)
	}
}

// TestNeeds: all system calls are for programs that can make some, the TCP/IP stack
// for those with package net in them, roots of trust for those with crypto/x509 and time
// zones for those that load some, wherever that is done.
func TestNeeds(t *testing.T) {
	b, tree := hosted(t), t.TempDir()
	layOut(t, tree, map[string]string{
		"go.mod":         "module example.com/m\n\ngo 1.22\n",
		"none/main.go":   "package main\n\nimport (\n\t\"net/http\"\n\t\"os\"\n)\n\nfunc main() { http.Get(os.Args[0]) }\n",
		"direct/main.go": "package main\n\nimport \"syscall\"\n\nfunc main() { syscall.Getpid() }\n",
		"below/main.go":  "package main\n\nimport \"example.com/m/lib\"\n\nfunc main() { lib.F() }\n",
		"zones/main.go":  "package main\n\nimport \"example.com/m/zone\"\n\nfunc main() { zone.F() }\n",
		"zone/zone.go":   "package zone\n\nimport \"time\"\n\nfunc F() { time.LoadLocation(\"UTC\") }\n",
		"clock/main.go":  "package main\n\nimport \"time\"\n\nfunc main() { time.Now() }\n",
		"lib/lib.go":     "package lib\n\nimport _ \"unsafe\"\n\nfunc F() {}\n",
		"asm/main.go":    "package main\n\nfunc f()\n\nfunc main() { f() }\n",
		"asm/f.s":        "TEXT \u00b7f(SB),4,$0\n\tRET\n",
	})
	for dir, want := range map[string]needs{
		"none": {network: true, roots: true}, "zones": {zones: true}, "clock": {}, "direct": {calls: true}, "below": {calls: true}, "asm": {calls: true},
	} {
		p, err := b.Program(context.Background(), []string{filepath.Join(tree, dir)})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.needs(context.Background()); got != want {
			t.Errorf("%s: %+v", dir, got)
		}
	}
	ws, err := b.workspace(context.Background(), tree, moduleFlags{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for pkg, want := range map[string]bool{"os": true, "strconv": false} { // net is needed by the test alone, and imports os
		args := slices.Concat([]string{"-test"}, ws.flags, []string{"--", pkg})
		if got := b.needsOf(context.Background(), tree, ws, args).network; got != want {
			t.Errorf("tests of %s need the network: %v", pkg, got)
		}
	}
}
