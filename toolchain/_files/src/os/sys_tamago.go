//go:build tamago

package os

import (
	"errors"
	_ "unsafe" // for go:linkname
)

//go:linkname hostname syscall.hostname
func hostname() (name string, err error)

// executable fails: the program is no file.
func executable() (string, error) {
	return "", errors.New("os: the program was not loaded from a file")
}
