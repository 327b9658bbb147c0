//go:build tamago

package main

// The kernel's locks are counted as well.
import _ "github.com/yolkos/yolk/kernel/profile/locks"
