//go:build tamago

package syscalls

import _ "unsafe" // for go:linkname

// servedCallers are the callers of the goroutine for which another one makes this
// call; 0: none does.
//
//go:linkname servedCallers runtime.systemCallers
func servedCallers(pcs []uintptr) int
