//go:build !tamago

package goos

const IsTamago = 0
