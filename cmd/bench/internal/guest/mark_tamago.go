//go:build tamago

package guest

import "github.com/yolkos/yolk/arch/amd64/reg"

// Mark writes a byte to MarkPort.
func Mark(v uint8) { reg.Out8(MarkPort, v) }
