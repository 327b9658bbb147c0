//go:build unix && !tamago

package syscall

// The counterparts of call_tamago.go for the systems that the tools run on.

const oneProgram = false

var errOneProgram error
