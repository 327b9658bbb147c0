//go:build !windows

package clash

func where() string { return Name }
