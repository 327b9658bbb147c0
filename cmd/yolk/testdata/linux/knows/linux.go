//go:build linux

package knows

const Linux = Name + 1 // does not compile
