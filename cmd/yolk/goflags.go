package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// programArgs marks the commands whose arguments, from the first on, belong to
// what they run.
const programArgs = "program-args"

// doubleDashes rewrites the arguments of yolk for a parser that wants two
// dashes before a long name: Go's own tools take -tags for --tags. What belongs
// to a program, to go test or to the go command is left alone.
func doubleDashes(root *cobra.Command, args []string) []string {
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		return append(args[:1:1], doubleDashes(root, args[1:])...)
	}
	cmd, _, err := root.Find(args)
	if err != nil || cmd == root || cmd.DisableFlagParsing {
		return args
	}
	out := slices.Clone(args)
	start := slices.Index(out, cmd.Name()) + 1
	for i := start; i < len(out); i++ {
		arg := out[i]
		name, _, joined := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if arg == "--" || name == arg && cmd.Annotations[programArgs] != "" {
			break
		}
		flag := cmd.Flags().Lookup(name)
		switch {
		case name == arg || name == "":
			continue
		case len(name) == 1 && !strings.HasPrefix(arg, "--"):
			flag = cmd.Flags().ShorthandLookup(name)
		case flag != nil && !strings.HasPrefix(arg, "--"):
			out[i] = "-" + arg
		}
		if flag != nil && !joined && flag.NoOptDefVal == "" {
			i++ // its value
		}
	}
	return out
}

// buildFlags are those of the flags of go build that work for a guest.
type buildFlags struct {
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

// add defines the flags in set.
func (f *buildFlags) add(set *pflag.FlagSet) {
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

// flags returns those that were given, for the go command.
func (f *buildFlags) flags() ([]string, error) {
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
