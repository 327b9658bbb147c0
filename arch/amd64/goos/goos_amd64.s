//go:build tamago
