//go:build linux

package main

func init() { chosen = append(chosen, "tag linux") }
