package options

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/pflag"
)

// Build are those of the flags of go build that work for a guest.
type Build struct {
	set *pflag.FlagSet
}

// The flags of go build. Those that have a reason are refused with it.
var goBuildFlags = []struct {
	name, usage string
	isBool      bool
	isFile      bool   // its value is the name of a file
	optional    string // the value that it has without one; empty: it needs one
	refused     string
}{
	{name: "tags", usage: "build tags, separated by commas"},
	{name: "ldflags", usage: "[pattern=]flags for the linker"},
	{name: "gcflags", usage: "[pattern=]flags for the compiler"},
	{name: "asmflags", usage: "[pattern=]flags for the assembler"},
	{name: "trimpath", usage: "no paths of this machine in the image", isBool: true},
	{name: "pgo", usage: "file with a profile to optimize for, auto or off", isFile: true},

	{name: "mod", usage: "mod brings go.mod up to date, vendor builds from the vendor directory, readonly"},
	{name: "modfile", usage: "another go.mod, with its go.sum beside it", isFile: true},
	{name: "overlay", usage: "JSON file that puts files in the place of others", isFile: true},
	{name: "a", usage: "build all packages anew", isBool: true},
	{name: "buildvcs", usage: "say in the image which commit it is of: true, false or auto", optional: "true"},
	{name: "modcacherw", usage: "leave new directories of the module cache writable", isBool: true},

	{name: "race", isBool: true, refused: "there is no race detector in the guest; test with go test -race on the host"},
	{name: "msan", isBool: true, refused: "there is no C in the guest"},
	{name: "asan", isBool: true, refused: "there is no C in the guest"},
	{name: "cover", isBool: true, refused: "only yolk test has it"},
	{name: "covermode", refused: "only yolk test has it"},
	{name: "coverpkg", refused: "only yolk test has it"},
	{name: "exec", refused: "yolk itself runs the program, in a guest"},
	{name: "buildmode", refused: "an image is an executable"},
	{name: "linkshared", isBool: true, refused: "an image is one executable"},
	{name: "compiler", refused: "yolk's own tools build the image"},
	{name: "gccgoflags", refused: "yolk's own tools build the image"},
	{name: "toolexec", refused: "yolk's own tools build the image"},
	{name: "installsuffix", refused: "nothing is installed by it, an image is built"},
	{name: "pkgdir", refused: "nothing is installed by it, an image is built"},
	{name: "C", refused: "change to the directory before: cd DIR && yolk …"},
	{name: "n", isBool: true, refused: "nothing is built with it; -v shows the commands"},
	{name: "x", isBool: true, refused: "-v shows the commands of yolk; the go command's, when it fails, are shown with GOFLAGS=-x"},
	{name: "work", isBool: true, refused: "the directory is removed when yolk ends"},
	{name: "json", isBool: true, refused: "yolk itself tells what the build says"},
}

// Add defines the flags in set.
func (f *Build) Add(set *pflag.FlagSet) {
	f.set = set
	for _, g := range goBuildFlags {
		short := "" // a flag of one letter has one dash with Go's tools
		if len(g.name) == 1 {
			short = g.name
		}
		if g.isBool {
			set.BoolP(g.name, short, false, g.usage)
		} else {
			set.StringP(g.name, short, "", g.usage)
			set.Lookup(g.name).NoOptDefVal = g.optional
		}
		if g.refused != "" {
			set.Lookup(g.name).Hidden = true
		}
	}
}

// Flags returns those that were given, for the go command.
func (f *Build) Flags() ([]string, error) {
	var list []string
	for _, g := range goBuildFlags {
		flag := f.set.Lookup(g.name)
		if !flag.Changed {
			continue
		}
		value := flag.Value.String()
		if g.refused != "" && value != "false" {
			return nil, fmt.Errorf("-%s: %s", g.name, g.refused)
		}
		if g.isFile && value != "auto" && value != "off" && value != "" {
			file, err := filepath.Abs(value) // the go command runs elsewhere
			if err != nil {
				return nil, err
			}
			value = file
		}
		list = append(list, "-"+g.name+"="+value)
	}
	return list, nil
}

// Shipped returns the flags for what is brought to other machines: where it is built does not show
// in it, so that it is the same wherever that is, unless -trimpath or -buildvcs was given.
func (f *Build) Shipped() ([]string, error) {
	list, err := f.Flags()
	if err != nil {
		return nil, err
	}
	if !f.set.Lookup("trimpath").Changed {
		list = append(list, "-trimpath=true")
	}
	if !f.set.Lookup("buildvcs").Changed {
		list = append(list, "-buildvcs=false")
	}
	return list, nil
}
