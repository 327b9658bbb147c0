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
	isFile      bool // its value is the name of a file
	refused     string
}{
	{name: "tags", usage: "build tags, separated by commas"},
	{name: "ldflags", usage: "[pattern=]flags for the linker"},
	{name: "gcflags", usage: "[pattern=]flags for the compiler"},
	{name: "asmflags", usage: "[pattern=]flags for the assembler"},
	{name: "trimpath", usage: "no paths of this machine in the image", isBool: true},
	{name: "pgo", usage: "file with a profile to optimize for, auto or off", isFile: true},

	{name: "race", isBool: true, refused: "there is no race detector in the guest; test with go test -race on the host"},
	{name: "msan", isBool: true, refused: "there is no C in the guest"},
	{name: "asan", isBool: true, refused: "there is no C in the guest"},
	{name: "cover", isBool: true, refused: "only yolk test has it"},
	{name: "exec", refused: "yolk itself runs the program, in a guest"},
	{name: "mod", refused: "go.mod stays as it is; run go mod tidy or go mod vendor before"},
	{name: "modfile", refused: "the go.mod of the module counts"},
	{name: "overlay", refused: "yolk has an overlay of its own"},
	{name: "buildmode", refused: "an image is an executable"},
	{name: "toolexec", refused: "yolk's own tools build the image"},
}

// Add defines the flags in set.
func (f *Build) Add(set *pflag.FlagSet) {
	f.set = set
	for _, g := range goBuildFlags {
		if g.isBool {
			set.Bool(g.name, false, g.usage)
		} else {
			set.String(g.name, "", g.usage)
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
