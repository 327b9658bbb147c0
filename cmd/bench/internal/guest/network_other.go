//go:build !linux || tamago

package guest

import "net/netip"

// StartNetwork does nothing: the kernel has.
func StartNetwork(netip.Addr) error { return nil }
