//go:build linux && !cgo && amd64

package main

func init() { chosen = append(chosen, "tag linux && !cgo && amd64") }
