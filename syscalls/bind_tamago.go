//go:build tamago

package syscalls

import "syscall"

var bound *Kernel

// Bind puts k below the standard library.
func Bind(k *Kernel) {
	bound = k
	syscall.SetKernel(k)
}

// Bound is what Bind was given: the Kernel below the running program.
func Bound() *Kernel { return bound }
