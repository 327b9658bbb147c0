//go:build tamago

package profile

import "github.com/yolkos/yolk/kernel"

func init() {
	port, ok := kernel.Port(portName)
	if !ok {
		return // an image that was started otherwise
	}
	s, err := start(port)
	if err != nil {
		kernel.Log(err.Error())
		return
	}
	kernel.AtEnd(s.Finish)
}
