// Package locks profiles the locks that goroutines have waited for: the program's, the
// kernel's and the runtime's. yolk run --lock-profile adds it to a program, and the linker
// has it initialised right behind the kernel. The launcher gets the profile of contention
// that runtime/pprof calls "mutex", of each wait, up to the program's end. The program
// can look at it with runtime.MutexProfile before.
package locks

import (
	"bytes"
	"io"
	"runtime"
	"runtime/pprof"

	"github.com/yolkos/yolk/kernel/profile/internal/deliver"
)

// portName is the name of the launcher's port.
const portName = "yolk.locks"

// start begins a profile for whoever is at the other end of port.
func start(port io.ReadWriter) *deliver.Session {
	runtime.SetMutexProfileFraction(1)
	return deliver.Start(port, func() *bytes.Buffer {
		data := bytes.NewBuffer(deliver.Head())
		_ = pprof.Lookup("mutex").WriteTo(data, 0) // to memory
		return data
	})
}
