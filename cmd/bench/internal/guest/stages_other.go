//go:build !tamago

package guest

// Stages returns none.
func Stages() []Stage { return nil }
