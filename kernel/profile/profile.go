// Package profile samples where the program spends its processor time, from
// before the init functions of its packages to its end, and gives the profile to
// the launcher. yolk run --profile adds it to a program, and the linker has it
// initialised right behind the kernel.
package profile

import (
	"bytes"
	"fmt"
	"io"
	"runtime/pprof"

	"github.com/yolkos/yolk/kernel/profile/internal/deliver"
)

// portName is the name of the launcher's port.
const portName = "yolk.profile"

// start begins a profile for whoever is at the other end of port.
func start(port io.ReadWriter) (*deliver.Session, error) {
	data := bytes.NewBuffer(deliver.Head())
	if err := pprof.StartCPUProfile(data); err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	return deliver.Start(port, func() *bytes.Buffer {
		pprof.StopCPUProfile()
		return data
	}), nil
}
