package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
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
