//go:build tamago

package runtime

import _ "unsafe" // for go:linkname

// Assembly outside the standard library may name a function of it, from Go 1.27
// on, that says so: these are of the machine, and of package tamago.

//go:linkname coreEnter
//go:linkname settls
//go:linkname systemstack

//go:linkname trap
func trap()

//go:linkname systemCall
func systemCall()
