// Package onlylinux has no files but for Linux.
package onlylinux

const Name = "only for Linux"
