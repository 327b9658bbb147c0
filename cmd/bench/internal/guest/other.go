//go:build !linux || tamago

package guest

import "os"

// Start returns the program's arguments without its name.
func Start() ([]string, error) { return os.Args[1:], nil }

// Exit ends the program.
func Exit(status int) { os.Exit(status) }
