//go:build tamago

package syscalls

import (
	"syscall"
	_ "unsafe" // for go:linkname
)

var bound *Kernel

// Bind puts k below the standard library.
func Bind(k *Kernel) {
	bound = k
	k.Raise = raise
	syscall.SetKernel(k)
}

//go:linkname raise syscall.raise
func raise(syscall.Signal)

// Bound is what Bind was given: the Kernel below the running program.
func Bound() *Kernel { return bound }
