//go:build !linux && !tamago

package guest

// Stages returns none.
func Stages() []Stage { return nil }

// Waits returns nothing: this is no guest.
func Waits() (Waiting, error) { return Waiting{}, nil }
