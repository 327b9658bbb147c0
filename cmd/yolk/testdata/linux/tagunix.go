//go:build unix

package main

func init() { chosen = append(chosen, "tag unix") }
