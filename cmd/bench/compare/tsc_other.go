//go:build !amd64

package main

// tscKHz is for hosts whose time-stamp counter a guest gets to see.
func tscKHz() uint64 { return 0 }
