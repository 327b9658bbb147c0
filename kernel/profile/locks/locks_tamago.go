//go:build tamago

package locks

import (
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/kernel"
)

//go:linkname kernelLocks runtime.kernelLocks
var kernelLocks bool

func init() {
	kernelLocks = true
	port, ok := kernel.Port(portName)
	if !ok {
		return // an image that was started otherwise: the program may look itself
	}
	kernel.AtEnd(start(port).Finish)
}
