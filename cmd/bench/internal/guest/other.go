//go:build !linux || tamago

package guest

import "os"

// Start returns the program's arguments without its name.
func Start() ([]string, error) { return os.Args[1:], nil }

// Exit ends the program.
func Exit(status int) { os.Exit(status) }

// Disk returns the disk that the guest has.
func Disk() (string, error) { return "/dev/vda", nil }

// Direct is what opens a disk past the page cache: nothing, as Yolk has none there.
const Direct = 0
