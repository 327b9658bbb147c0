//go:build !amd64

package main

// takeTurns is for processors that Yolk runs on.
func takeTurns() {}
