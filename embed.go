// Package yolk holds the sources that the command yolk carries: those of the
// kernel, which it builds into every image.
package yolk

import "embed"

// Guest holds the packages of the kernel's module.
//
//go:embed arch drivers fs kernel netstack syscalls
var Guest embed.FS

// GoMod and GoSum are the module files, which name the version of tamago.
var (
	//go:embed go.mod
	GoMod string
	//go:embed go.sum
	GoSum string
)
