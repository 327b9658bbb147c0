package options

import (
	"os"

	"github.com/yolkos/yolk/qemu"
)

// terminalVars are the variables that tell a program of its terminal: what it
// understands, which characters it shows, and whether its user wants colours.
var terminalVars = []string{"TERM", "COLORTERM", "NO_COLOR", "LANG", "LC_ALL", "LC_CTYPE"}

// TerminalEnv is what the environment of a program begins with: those of
// terminalVars that the host has, if the program gets a terminal.
func TerminalEnv() []string {
	if !qemu.HasTerminal(os.Stdin, os.Stdout, os.Stderr) {
		return nil
	}
	var env environ
	for _, name := range terminalVars {
		env.add(name)
	}
	return env
}
