//go:build !windows

package main

func init() { chosen = append(chosen, "tag !windows") }
