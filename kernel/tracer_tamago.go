//go:build tamago

package kernel

import (
	"syscall"
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/syscalls"
)

// Tracer stands between the parts of the machine and sees what they say to each other.
// All that it has to go by are the interfaces between them: an image without one has
// no trace of it.
type Tracer struct {
	Start     func()                                    // before there are devices
	Transport func(t virtio.Transport) virtio.Transport // returns what the driver of t gets in its place
	Interrupt func(i virtio.Interrupt) virtio.Interrupt // the same for the one interrupt of a device that is opened next
	Fuse      func(t fuse.Transport) fuse.Transport     // the same for a file system
	Calls     func(k *syscalls.Kernel) syscall.Kernel   // returns what stands below package syscall in its place
	Ready     func()                                    // at the end of the boot
	Text      func(b []byte) []byte                     // of /proc/yolk/trace
	Set       func(text string) error                   // what is written there
}

// tracer is package kernel/trace's, in images that have it; nil: there is none.
//
//go:linkname tracer
var tracer *Tracer

// traced is the transport that the driver of t gets.
func traced(t virtio.Transport) virtio.Transport {
	if tracer == nil {
		return t
	}
	return tracer.Transport(t)
}

// tracedInterrupt is the interrupt that a device gets which has but one.
func tracedInterrupt(i virtio.Interrupt, err error) (virtio.Interrupt, error) {
	if tracer == nil || err != nil {
		return i, err
	}
	return tracer.Interrupt(i), nil
}

// tracedFuse is the transport that the file system on t gets.
func tracedFuse(t fuse.Transport) fuse.Transport {
	if tracer == nil {
		return t
	}
	return tracer.Fuse(t)
}

// bind puts the system calls below the standard library.
func (m *machine) bind() {
	syscalls.Bind(m.calls)
	if tracer != nil {
		syscall.SetKernel(tracer.Calls(m.calls))
	}
}
