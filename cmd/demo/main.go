// Command demo is a shell to look around with in the machine that it is the
// whole of: an ordinary Go program, which imports nothing but the standard
// library and a line editor. It runs on any other system just as well.
//
//	demo              a shell on standard input
//	demo tour         a guided tour, with every result checked
//	demo COMMAND...   one command of the shell
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	sh := newShell(os.Stdin, os.Stdout, os.Stderr)
	if len(args) == 0 {
		return status(sh.interact())
	}
	err := sh.command(args)
	var exit exitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
	}
	return status(err)
}

// exitError ends the shell with a status.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// status is the exit status that an error means.
func status(err error) int {
	var exit exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	}
	return 1
}
