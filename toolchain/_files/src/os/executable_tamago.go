//go:build tamago

package os

import "errors"

// executable fails: the program is no file.
func executable() (string, error) {
	return "", errors.New("os: the program was not loaded from a file")
}
