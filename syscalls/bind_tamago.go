//go:build tamago

package syscalls

import "syscall"

// Bind puts k below the standard library.
func Bind(k *Kernel) { syscall.SetKernel(k) }
