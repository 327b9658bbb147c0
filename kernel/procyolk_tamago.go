//go:build tamago

package kernel

import (
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/fs/procfs"
	"github.com/yolkos/yolk/kernel/control"
)

// maxProcLinks is how many links are followed in a name.
const maxProcLinks = 8

// readProc reads a file of /proc, whatever is mounted there: "yolk/devices".
func (m *machine) readProc(name string) ([]byte, syscall.Errno) {
	n, links := m.proc.Root(), 0
	for elems := strings.Split(name, "/"); len(elems) > 0; {
		e, err := n.Lookup(elems[0])
		if err != nil {
			return nil, errnoOf(err)
		}
		elems = elems[1:]
		if target, err := e.Node.Readlink(); err == nil { // self
			if links++; links > maxProcLinks {
				return nil, syscall.ELOOP
			}
			elems = append(strings.Split(target, "/"), elems...)
			continue
		}
		n = e.Node
	}
	f, err := n.Open(syscall.O_RDONLY)
	if err != nil {
		return nil, errnoOf(err)
	}
	defer f.Release()
	var data []byte
	buf := make([]byte, 16<<10)
	for len(data) <= control.MaxData {
		n, err := f.ReadAt(buf, int64(len(data)))
		data = append(data, buf[:n]...)
		if err != nil {
			return nil, errnoOf(err)
		}
		if n == 0 {
			return data, 0
		}
	}
	return nil, syscall.EFBIG
}

func errnoOf(err error) syscall.Errno {
	if e, ok := err.(syscall.Errno); ok {
		return e
	}
	return syscall.EIO
}

// appendDevices lists the virtio devices: what they are, what they offer and what of it
// is in force, in hexadecimal, and their queues with how many descriptors each has.
func (m *machine) appendDevices(b []byte) []byte {
	add := func(t virtio.Transport, d *virtio.Device, use string) {
		b = append(append(b, t.Name()...), '\n')
		b = append(strconv.AppendUint(append(b, "  id "...), uint64(t.DeviceID()), 10), '\n')
		if use != "" {
			b = append(append(append(b, "  use "...), use...), '\n')
		}
		if d == nil {
			b = append(strconv.AppendUint(append(b, "  offered "...), t.DeviceFeatures(), 16), '\n')
			return
		}
		b = append(strconv.AppendUint(append(b, "  offered "...), d.Offered(), 16), '\n')
		b = append(strconv.AppendUint(append(b, "  accepted "...), d.Features(), 16), '\n')
		if d.Err() != nil {
			b = append(append(append(b, "  failed "...), d.Err().Error()...), '\n')
		}
		queue := func(i int, name string, s virtio.Stats) {
			b = strconv.AppendInt(append(b, "  queue "...), int64(i), 10)
			b = strconv.AppendInt(append(b, ' '), int64(s.Size), 10)
			b = append(append(append(b, ' '), name...), '\n')
		}
		for _, q := range d.Queues() {
			queue(q.Index(), q.Name(), q.Stats())
		}
		for _, q := range d.BufferQueues() {
			queue(q.Index(), q.Name(), q.Stats())
		}
	}
	for _, c := range m.consoles {
		add(c.Device().Transport(), c.Device(), "ports "+strings.Join(c.Ports(), " "))
	}
	if m.rng != nil {
		add(m.rng.Device().Transport(), m.rng.Device(), "random numbers")
	}
	for _, d := range m.disks {
		add(d.dev.Device().Transport(), d.dev.Device(), "disk /dev/"+d.name)
	}
	m.taking.Lock()
	undriven, networks := m.undriven, m.networks
	m.taking.Unlock()
	for i, n := range networks {
		add(n.Device().Transport(), n.Device(), "network eth"+strconv.Itoa(i))
	}
	for _, s := range m.shares {
		d := s.dev.Load().Device()
		add(d.Transport(), d, "share "+s.tag)
	}
	for _, t := range undriven {
		add(t, nil, "")
	}
	return b
}

// iomem is what lies where in the address space.
func (m *machine) iomem() []procfs.Resource {
	var list []procfs.Resource
	for _, a := range amd64.Areas() {
		list = append(list, procfs.Resource{Start: a.Start, End: a.End, Name: a.Name})
	}
	if m.pci != nil {
		for _, f := range m.pci.Functions() {
			for _, bar := range f.BARs {
				if bar.Addr != 0 && !bar.IO {
					list = append(list, procfs.Resource{Start: bar.Addr, End: bar.Addr + bar.Size, Name: f.Addr.String()})
				}
			}
		}
	}
	for _, d := range m.mmio {
		list = append(list, procfs.Resource{Start: d.base, End: d.base + d.size, Name: d.name})
	}
	return list
}

// mmioDevice is where the registers of a virtio device are.
type mmioDevice struct {
	base, size uint64
	name       string
}

// appendRuntime tells what the Go runtime does, sizes in bytes, times in nanoseconds.
func appendRuntime(b []byte) []byte {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	b = appendValue(b, "goroutines", uint64(runtime.NumGoroutine()))
	b = appendValue(b, "gomaxprocs", uint64(runtime.GOMAXPROCS(0)))
	b = appendValue(b, "heap.inuse", s.HeapInuse)
	b = appendValue(b, "heap.alloc", s.HeapAlloc)
	b = appendValue(b, "heap.objects", s.HeapObjects)
	b = appendValue(b, "heap.next", s.NextGC)
	b = appendValue(b, "stack.inuse", s.StackInuse)
	b = appendValue(b, "sys", s.Sys-s.HeapReleased)
	b = appendValue(b, "allocated", s.TotalAlloc)
	b = appendValue(b, "gc.cycles", uint64(s.NumGC))
	return appendValue(b, "gc.pauses", s.PauseTotalNs)
}

// appendValue appends a line with a name and a number.
func appendValue(b []byte, name string, n uint64) []byte {
	return append(strconv.AppendUint(append(append(b, name...), ' '), n, 10), '\n')
}
