//go:build !tamago

package knows

const Name = "no tamago"
