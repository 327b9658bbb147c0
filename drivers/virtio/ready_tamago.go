//go:build tamago

package virtio

import _ "unsafe" // for go:linkname

// othersReady reports whether other goroutines can run on this CPU.
//
//go:linkname othersReady runtime.othersReady
func othersReady() bool
