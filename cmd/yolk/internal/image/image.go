// Package image builds the image of a guest from a main package that knows
// nothing of Yolk. The package's module, its go.mod, go.sum and files, stays
// untouched: a temporary workspace brings the kernel's module and an overlay
// the import that boots it.
package image

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yolkos/yolk/toolchain"
)

const (
	// modulePath is the module of the kernel, and of this program.
	modulePath = "github.com/yolkos/yolk"
	// kernelPackage boots the machine when a program imports it.
	kernelPackage = modulePath + "/kernel"
	// profilePackage takes a CPU profile when a program imports it as well.
	profilePackage = kernelPackage + "/profile"
	// boardPackage is the value of GOOSPKG: its subdirectory goos stands in
	// for runtime/goos.
	boardPackage = modulePath + "/arch/amd64"
	// buildTags leave what tamago would decide to the kernel.
	buildTags = "linkcpuinit,linkramstart,linkramsize,linkprintk"
	// linkFlags put the text above the boot area of the kernel.
	linkFlags = "-T 0x201000 -R 0x1000"
	// smallFlags leave out what only debuggers read; -ldflags=-w=0 brings it
	// back.
	smallFlags = "-w "
)

// Builder holds what all builds of one run of yolk share.
type Builder struct {
	Toolchain *toolchain.Toolchain
	Guest     string    // directory of the kernel's module
	Scratch   string    // directory for temporary files
	Trace     io.Writer // the commands that are run; nil: not shown
	Profile   bool      // programs send a CPU profile to the launcher
}

// pkg is what go list tells about a package.
type pkg struct {
	Dir          string
	ImportPath   string
	Name         string
	TestGoFiles  []string
	XTestGoFiles []string
	Error        *struct{ Err string }
}

// Build builds a main package, named as for go build, into file and returns
// the name of the program.
func (b *Builder) Build(ctx context.Context, file string, args []string, flags ...string) (name string, err error) {
	dir, args, err := place(args)
	if err != nil {
		return "", err
	}
	ws, err := b.workspace(ctx, dir)
	if err != nil {
		return "", err
	}
	tags, ldflags, flags := mergeFlags(flags, ws.goflags)
	pkgs, err := b.list(ctx, dir, ws, tags, args)
	if err != nil {
		return "", err
	}
	if len(pkgs) != 1 {
		return "", fmt.Errorf("%s: want one main package, got %d packages", strings.Join(args, " "), len(pkgs))
	}
	p := pkgs[0]
	switch {
	case p.Error != nil && p.Name == "":
		return "", fmt.Errorf("%s", p.Error.Err)
	case p.Name != "main":
		return "", fmt.Errorf("%s: package %s is not a main package", p.ImportPath, p.Name)
	}
	boot := filepath.Join(p.Dir, bootFile)
	text := "package main\n\nimport _ \"" + kernelPackage + "\"\n"
	if b.Profile {
		text += "import _ \"" + profilePackage + "\"\n"
	}
	overlay, err := b.overlay(map[string]string{boot: text})
	if err != nil {
		return "", err
	}
	if isFile(args[0]) {
		args = append(args, bootFile)
	}
	build := slices.Concat(
		[]string{"build", "-o", file, "-overlay=" + overlay, "-tags=" + tags, "-ldflags=" + ldflags},
		ws.flags, flags, []string{"--"}, args)
	if _, err := b.goCommand(ctx, dir, ws.env, build...); err != nil {
		return "", err
	}
	return programName(p), nil
}

// bootFile is the name of the file that the overlay adds to a package.
const bootFile = "zz_yolk_boot.go"

// place splits a package argument that is a directory or file into the
// directory to work in and the package seen from there, so that the package's
// own module counts and not that of the working directory.
func place(args []string) (dir string, rest []string, err error) {
	if len(args) == 0 {
		args = []string{"."}
	}
	first := args[0]
	if len(args) == 1 && isLocal(first) && !strings.Contains(first, "...") {
		info, err := os.Stat(first)
		if err != nil {
			return "", nil, err
		}
		if info.IsDir() {
			dir, err = filepath.Abs(first)
			return dir, []string{"."}, err
		}
	}
	if isFile(first) {
		for _, a := range args {
			if !isFile(a) || filepath.Dir(a) != filepath.Dir(first) {
				return "", nil, fmt.Errorf("%s: the files of a program must be .go files of one directory", a)
			}
			rest = append(rest, filepath.Base(a))
		}
		dir, err = filepath.Abs(filepath.Dir(first))
		return dir, rest, err
	}
	dir, err = os.Getwd()
	return dir, args, err
}

// isLocal reports whether the go command takes a package argument for a path.
func isLocal(arg string) bool {
	return arg == "." || arg == ".." || strings.HasPrefix(arg, "./") || strings.HasPrefix(arg, "../") || filepath.IsAbs(arg)
}

func isFile(arg string) bool { return strings.HasSuffix(arg, ".go") }

// programName is the name that go build would give the program.
func programName(p pkg) string {
	if p.ImportPath == "command-line-arguments" || p.ImportPath == "." {
		return filepath.Base(p.Dir)
	}
	return filepath.Base(p.ImportPath)
}

// list describes packages without looking at what they import.
func (b *Builder) list(ctx context.Context, dir string, ws *workspace, tags string, args []string) ([]pkg, error) {
	list := slices.Concat(
		[]string{"list", "-e", "-find", "-json=Dir,ImportPath,Name,TestGoFiles,XTestGoFiles,Error", "-tags=" + tags},
		ws.flags, []string{"--"}, args)
	out, err := b.goCommand(ctx, dir, ws.env, list...)
	if err != nil {
		return nil, err
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		switch err := dec.Decode(&p); err {
		case nil:
			pkgs = append(pkgs, p)
		case io.EOF:
			return pkgs, nil
		default:
			return nil, fmt.Errorf("go list: %w", err)
		}
	}
}

// overlay writes an overlay that adds files, and returns its name.
func (b *Builder) overlay(files map[string]string) (string, error) {
	replace := map[string]string{}
	for name, text := range files {
		tmp := filepath.Join(b.Scratch, fmt.Sprintf("boot%d.go", len(replace)))
		if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[name] = tmp
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(b.Scratch, "overlay.json")
	return name, os.WriteFile(name, data, 0o600)
}

// mergeFlags takes the tags and linker flags out of build flags, and adds
// them to those of the target. Those of $GOFLAGS count where the command line
// has none, as with the go command.
func mergeFlags(flags, goflags []string) (tags, ldflags string, rest []string) {
	tags, ldflags = buildTags, smallFlags+linkFlags
	userTags, rest := takeFlag(flags, "tags")
	if userTags == "" {
		userTags, _ = takeFlag(goflags, "tags")
	}
	if userTags != "" {
		tags += "," + strings.Join(strings.FieldsFunc(userTags, func(r rune) bool { return r == ',' || r == ' ' }), ",")
	}
	user, rest := takeFlag(rest, "ldflags")
	if user == "" {
		user, _ = takeFlag(goflags, "ldflags")
	}
	if user != "" {
		ldflags = smallFlags + user + " " + linkFlags
	}
	return tags, ldflags, rest
}

// takeFlag removes a flag with a value from a list and returns the last value.
func takeFlag(flags []string, name string) (value string, rest []string) {
	for i := 0; i < len(flags); i++ {
		f := strings.TrimPrefix(strings.TrimPrefix(flags[i], "-"), "-")
		switch {
		case f == flags[i]: // no flag
			rest = append(rest, flags[i])
		case f == name && i+1 < len(flags):
			i++
			value = flags[i]
		case strings.HasPrefix(f, name+"="):
			value = f[len(name)+1:]
		default:
			rest = append(rest, flags[i])
		}
	}
	return value, rest
}
