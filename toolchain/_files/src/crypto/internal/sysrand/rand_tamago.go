//go:build tamago

package sysrand

import (
	"errors"
	_ "unsafe" // for go:linkname
)

//go:linkname strongRandom runtime.strongRandom
//go:noescape
func strongRandom(b []byte) (failure string)

// read fails where no source of the machine is fit for keys, which ends the
// program.
func read(b []byte) error {
	if failure := strongRandom(b); failure != "" {
		return errors.New(failure)
	}
	return nil
}
