// Command demo is a shell to look around with in the machine that it is the
// whole of: an ordinary Go program, which does not import Yolk. It runs on any
// Linux system just as well.
//
//	demo              a shell on standard input
//	demo tour         a guided tour, with every result checked
//	demo COMMAND...   one command of the shell
//
// The language is that of package mvdan.cc/sh/v3/interp, the line editor
// github.com/peterh/liner; what the shell calls commands are functions here, as
// there are no processes in the machine.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	sh, err := newShell("", os.Stdin, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if len(args) == 0 {
		return sh.interact()
	}
	var words []string
	for _, arg := range args {
		word, err := syntax.Quote(arg, syntax.LangBash)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
		words = append(words, word)
	}
	return sh.script(context.Background(), strings.NewReader(strings.Join(words, " ")), "demo")
}
