// Package image builds the image of a guest from a main package that knows
// nothing of Yolk. The package's module, its go.mod, go.sum and files, stays
// untouched: a temporary workspace brings the kernel's module and an overlay
// the import that boots it.
package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yolkos/yolk/cmd/yolk/internal/scratch"
	"github.com/yolkos/yolk/toolchain"
)

const (
	// modulePath is the module of the kernel, and of this program.
	modulePath = "github.com/yolkos/yolk"
	// kernelPackage boots the machine when a program imports it.
	kernelPackage = modulePath + "/kernel"
	// callsPackage has all of Linux's system calls when a program imports it.
	callsPackage = kernelPackage + "/calls"
	// networkPackage has the sockets of the internet when a program imports it.
	networkPackage = kernelPackage + "/network"
	// rootsPackage has roots of trust when a program imports it, and zonesPackage
	// time zones.
	rootsPackage = kernelPackage + "/roots"
	zonesPackage = kernelPackage + "/zones"
	// rootPackage mounts the root that the image carries, when a program imports it.
	rootPackage = kernelPackage + "/imageroot"
	// disksPackage mounts what is on disks, when a program imports it.
	disksPackage = kernelPackage + "/diskfs"
	// profilePackage takes a CPU profile when a program imports it as well.
	profilePackage = kernelPackage + "/profile"
	// locksPackage profiles the locks that are waited for, likewise.
	locksPackage = profilePackage + "/locks"
	// tracePackage traces the kernel when a program imports it as well.
	tracePackage = kernelPackage + "/trace"
	// stagesPackage tells how the boot went when a program imports it and calls its
	// Main.
	stagesPackage = kernelPackage + "/stages"
	// boardPackage is the value of GOOSPKG: its subdirectory goos stands in
	// for runtime/goos.
	boardPackage = modulePath + "/arch/amd64"
	// buildTags leave what tamago would decide to the kernel.
	buildTags = "linkcpuinit,linkramstart,linkramsize,linkprintk"
	// linkFlags put the text above the boot area of the kernel.
	linkFlags = "-T 0x201000 -R 0x1000"
	// bootedLinkFlags put it at 16 MiB, where firmware leaves the RAM free and in one
	// piece: OVMF, for one, keeps something for itself at 8 MiB.
	bootedLinkFlags = "-T 0x1001000 -R 0x1000"
	// smallFlags leave out what only debuggers read: -ldflags=-s=0 brings the
	// symbols back, -ldflags=-w=0 DWARF.
	smallFlags = "-s -w "
)

// Builder holds what all builds of one run of yolk share.
type Builder struct {
	Toolchain *toolchain.Toolchain
	Guest     string    // directory of the kernel's module
	Scratch   string    // directory for temporary files
	Trace     io.Writer // the commands that are run; nil: not shown
	Profile   bool      // programs send a CPU profile to the launcher
	Locks     bool      // and one of the locks that they wait for
	Booted    bool      // firmware and a boot loader are going to start it, not a monitor
	Traced    bool      // the kernel sends a trace to the launcher
	Staged    bool      // programs tell the launcher how the boot went
	Debug     bool      // programs are for a debugger: with symbols, and their own packages not optimized
	// Compiling is called with the import path of each package that a build
	// compiles, as it is compiled; nil: the caller does not want to know.
	Compiling func(pkg string)
}

// Program is a main package that is about to be built.
type Program struct {
	Name string // of the program, as go build would call it
	Root bool   // the image is going to carry a root
	// Disks: the kernel is going to mount file systems of disks.
	Disks bool

	b     *Builder
	dir   string // where the go command runs
	args  []string
	pkg   pkg
	ws    *workspace
	flags []string
}

// Program finds the main package that args name as for go run: a directory, an
// import path, PKG@VERSION or .go files. The flags are those of go build. Where
// it asks for a newer Go than that of the toolchain, the Builder gets one of that.
func (b *Builder) Program(ctx context.Context, args []string, flags ...string) (*Program, error) {
	return again(ctx, b, func() (*Program, error) { return b.program(ctx, args, flags) })
}

func (b *Builder) program(ctx context.Context, args, flags []string) (*Program, error) {
	for _, a := range args {
		if isFile(a) && strings.HasSuffix(a, "_test.go") {
			return nil, fmt.Errorf("%s: a file of tests is no program: yolk test runs the tests of its package", a)
		}
	}
	dir, args, err := b.place(ctx, args)
	if err != nil {
		return nil, err
	}
	where, flags, err := takeModuleFlags(flags)
	if err != nil {
		return nil, err
	}
	users, _ := takeFlag(flags, "tags")
	ws, err := b.workspace(ctx, dir, where, slices.Concat(tagsFlag(users), []string{"--"}, args))
	if err != nil {
		return nil, err
	}
	if !ws.inModule && !isFile(args[0]) {
		if err := noModule(dir, args[0]); err != nil {
			return nil, err
		}
	}
	link := linkFlags
	if b.Booted {
		link = bootedLinkFlags
	}
	tags, target := targetFlags(flags, ws.goflags, b.symbols(), link)
	pkgs, err := b.list(ctx, dir, ws, tags, args)
	if err != nil {
		return nil, err
	}
	if len(pkgs) != 1 {
		return nil, fmt.Errorf("%s: want one main package, got %d packages", strings.Join(args, " "), len(pkgs))
	}
	p := pkgs[0]
	switch {
	case p.Error != nil && p.Name == "":
		return nil, fmt.Errorf("%s", p.Error.Err)
	case p.Name != "main":
		return nil, fmt.Errorf("%s: package %s is not a main package", p.ImportPath, p.Name)
	case len(p.GoFiles) == 0 && len(p.IgnoredGoFiles) == 0:
		// The file that boots the kernel would be all there is, which the linker complains about.
		return nil, fmt.Errorf("%s: no Go files but those of tests in %s: yolk test runs them", p.ImportPath, p.Dir)
	}
	if b.Debug {
		target = unoptimized(target, ws.goflags, ownPackages(p, ws))
	}
	return &Program{Name: programName(p), b: b, dir: dir, args: args, pkg: p, ws: ws, flags: target}, nil
}

// Build builds the program into a file.
func (p *Program) Build(ctx context.Context, file string) error {
	text := "package main\n"
	need := p.needs(ctx)
	need.disks = need.disks || p.Disks
	for _, pkg := range need.packages() {
		text += "\nimport _ \"" + pkg + "\""
	}
	text += "\n"
	if need.network {
		if err := p.b.addNetwork(ctx, p.ws); err != nil {
			return err
		}
	}
	if p.Root {
		text += "import _ \"" + rootPackage + "\"\n"
	}
	if p.b.Profile {
		text += "import _ \"" + profilePackage + "\"\n"
	}
	if p.b.Locks {
		text += "import _ \"" + locksPackage + "\"\n"
	}
	if p.b.Traced {
		text += "import _ \"" + tracePackage + "\"\n"
	}
	if p.b.Staged {
		// The files of a package are initialised in the order of their names, and this is the last.
		text += "import zz_yolk_stages \"" + stagesPackage + "\"\n\nfunc init() { zz_yolk_stages.Main() }\n"
	}
	overlay, err := p.b.overlay(p.ws, map[string]string{filepath.Join(p.pkg.Dir, bootFile): text})
	if err != nil {
		return err
	}
	args := p.args
	if isFile(args[0]) {
		args = append(slices.Clone(args), bootFile)
	}
	verbose := []string{}
	if p.b.Compiling != nil {
		verbose = []string{"-v"}
	}
	build := slices.Concat([]string{"build", "-o", file, overlay}, verbose, p.ws.flags, p.flags, []string{"--"}, args)
	if _, err := p.b.goCommand(ctx, p.dir, p.ws.env, build...); err != nil {
		return p.explain(ctx, err)
	}
	return nil
}

// BuildWith is Build with parts in the image. There is a file only if all has gone well.
func (p *Program) BuildWith(ctx context.Context, file string, parts []Part) error {
	if len(parts) == 0 {
		return p.Build(ctx, file)
	}
	plain := filepath.Join(p.b.Scratch, "program")
	if err := p.Build(ctx, plain); err != nil {
		return err
	}
	in, err := os.Open(plain)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	dir, err := scratch.Beside(file)
	if err != nil {
		return err
	}
	defer dir.Remove()
	out, err := os.OpenFile(filepath.Join(dir.Path, "image"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer out.Close() // twice, if all goes well
	if err := AddParts(out, in, info.Size(), parts); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := errors.Join(out.Chmod(info.Mode().Perm()), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), file)
}

// bootFile is the name of the file that the overlay adds to a package, and bootTestFile of
// that for its tests.
const (
	bootFile     = "zz_yolk_boot.go"
	bootTestFile = "zz_yolk_boot_test.go"
)

// overlay writes an overlay that adds files to packages, to those of the user's, and returns
// the flag for a go command that is to see them.
func (b *Builder) overlay(ws *workspace, files map[string]string) (flag string, err error) {
	replace := maps.Clone(ws.overlay)
	for name, text := range files {
		tmp := filepath.Join(b.Scratch, fmt.Sprintf("boot%d.go", len(replace)))
		if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[name] = tmp
	}
	return b.writeOverlay("overlay.json", replace)
}
