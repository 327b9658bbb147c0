//go:build tamago

package kernel

import (
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/fs/procfs"
)

// registerProc fills /proc, when somebody first looks at it.
func (m *machine) registerProc() {
	p := m.proc
	p.RegisterSelf(m.self())
	p.RegisterEmpty()
	m.registerSys()
	line, _ := amd64.CommandLine()
	p.RegisterLine("cmdline", line)
	p.Register("cpuinfo", procfs.Cpuinfo(cpus))
	p.Register("filesystems", procfs.Filesystems(func() []string {
		return []string{"devtmpfs", "proc", "tmpfs", "virtiofs"}
	}))
	p.Register("interrupts", procfs.Interrupts(1, interrupts))
	p.Register("iomem", procfs.Iomem(m.iomem))
	p.Register("kmsg", m.log.Append)
	p.Register("loadavg", procfs.Loadavg(&m.load, os.Getpid()))
	p.Register("meminfo", procfs.Meminfo(meminfo))
	p.RegisterLink("mounts", "self/mounts")
	p.RegisterLink("net", "self/net")
	p.Register("partitions", m.appendPartitions)
	p.Register("stat", procfs.StatFile(m.stat))
	p.Register("uptime", procfs.Uptime(m.uptime))
	p.RegisterLine("version", m.version())
	p.Register("vmstat", procfs.Vmstat(meminfo))
	p.Register("yolk/devices", m.appendDevices)
	p.Register("yolk/enosys", func(b []byte) []byte { return append(b, m.calls.Missed()...) })
	p.Register("yolk/fuse", m.appendFuse)
	p.RegisterNode("yolk/exe", newHostNode(p.FS, imageName, m.readHost))
	p.Register("yolk/metrics", m.appendMetrics)
	p.Register("yolk/pci", m.appendPCI)
	p.Register("yolk/runtime", appendRuntime)
	if tracer != nil {
		p.RegisterSetting("yolk/trace", tracer.Text, tracer.Set)
	}
	p.Register("yolk/virtio", m.appendVirtio)
}

func (m *machine) uptime() (up, idle time.Duration) {
	for i := range amd64.CPUs() {
		idle += amd64.IdleTime(i)
	}
	return time.Since(m.started), idle
}

// times are how long the machine has been up, and the CPUs busy.
func (m *machine) times() (up, busy time.Duration) {
	up, idle := m.uptime()
	return up, time.Duration(amd64.CPUs())*up - idle
}

func cpus() []procfs.CPU {
	c := amd64.CPU()
	return slices.Repeat([]procfs.CPU{{
		Vendor: c.Vendor, Family: c.Family, Model: c.Model, Stepping: c.Stepping, Name: cpuName(),
		Hz: amd64.ClockHz(), Flags: c.Flags, PhysBits: c.PhysBits, VirtBits: c.VirtBits,
	}}, amd64.CPUs())
}

func (m *machine) stat() procfs.Stat {
	up := time.Since(m.started)
	var times []procfs.CPUTime
	for i := range amd64.CPUs() {
		idle := amd64.IdleTime(i)
		times = append(times, procfs.CPUTime{User: max(up-idle, 0), Idle: idle})
	}
	var n uint64
	for _, c := range amd64.InterruptCounts() {
		n += c.Count
	}
	return procfs.Stat{
		CPUs:       times,
		Interrupts: n,
		Boot:       time.Now().Add(-up),
	}
}

func interrupts() []procfs.Interrupt {
	var list []procfs.Interrupt
	for _, c := range amd64.InterruptCounts() {
		list = append(list, procfs.Interrupt{Name: strconv.Itoa(int(c.Vector)), Counts: []uint64{c.Count}, About: c.Name})
	}
	return list
}

func meminfo() procfs.Memory {
	total, ranges := amd64.Memory()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	usable := uint64(0)
	for _, r := range ranges {
		usable += r.Size()
	}
	free := usable - min(s.Sys-s.HeapReleased, usable)
	return procfs.Memory{
		Total:     total,
		Free:      free,
		Available: free + s.HeapIdle - s.HeapReleased,
		Heap:      s.HeapInuse,
		Stack:     s.StackInuse,
	}
}

func (m *machine) appendFuse(b []byte) []byte {
	for _, s := range m.shares {
		s.mu.Lock()
		f := s.fs
		s.mu.Unlock()
		if f == nil {
			continue
		}
		b = append(append(b, s.dev.Load().Name()...), '\n')
		for _, op := range f.Stats() {
			b = appendCounter(b, op.Op, op.Calls)
			if op.Errors > 0 {
				b = appendCounter(b, op.Op+".errors", op.Errors)
			}
		}
		b = appendCounter(b, "broken", f.Broken())
		c := f.Counts()
		b = appendCounter(b, "server.nodes", uint64(c.Nodes))
		b = appendCounter(b, "server.handles", uint64(c.Handles))
		b = appendCounter(b, "server.forgotten", c.Forgot)
		b = appendCounter(b, "server.limit", uint64(c.Limit))
	}
	held, limit, evicted := m.vfs.CacheStats()
	b = append(b, "names\n"...)
	b = appendCounter(b, "held", uint64(held))
	b = appendCounter(b, "limit", uint64(limit))
	return appendCounter(b, "evicted", evicted)
}

// appendCounter appends a line with a name and a number.
func appendCounter(b []byte, name string, n uint64) []byte {
	b = append(append(append(b, "  "...), name...), ' ')
	return append(strconv.AppendUint(b, n, 10), '\n')
}

// appendVirtio lists the counters of each queue.
func (m *machine) appendVirtio(b []byte) []byte {
	for _, s := range m.shares {
		dev := s.dev.Load()
		b = append(append(b, dev.String()...), '\n')
		b = appendQueues(b, dev.Device())
	}
	for _, d := range m.disks {
		b = append(append(b, d.dev.String()...), '\n')
		b = appendQueues(b, d.dev.Device())
	}
	for _, n := range m.networks {
		b = appendFrames(append(append(b, n.String()...), '\n'), n.Stats())
		b = appendQueues(b, n.Device())
	}
	for _, c := range m.consoles {
		b = append(append(b, c.Name()...), '\n')
		b = appendQueues(b, c.Device())
	}
	if m.rng != nil {
		b = append(append(b, m.rng.Name()...), '\n')
		b = appendQueues(b, m.rng.Device())
	}
	return b
}

func appendFrames(b []byte, s nic.Stats) []byte {
	b = appendCounter(b, "received.frames", s.RxFrames)
	b = appendCounter(b, "received.bytes", s.RxBytes)
	b = appendCounter(b, "received.errors", s.RxErrors)
	b = appendCounter(b, "received.dropped", s.RxDropped)
	b = appendCounter(b, "sent.frames", s.TxFrames)
	b = appendCounter(b, "sent.bytes", s.TxBytes)
	b = appendCounter(b, "sent.errors", s.TxErrors)
	return appendCounter(b, "sent.dropped", s.TxDropped)
}

func appendQueues(b []byte, d *virtio.Device) []byte {
	for _, q := range d.Queues() {
		b = appendQueue(b, q.Name(), q.Stats())
	}
	for _, q := range d.BufferQueues() {
		b = appendQueue(b, q.Name(), q.Stats())
	}
	return b
}

func appendQueue(b []byte, name string, n virtio.Stats) []byte {
	b = appendCounter(b, name+".requests", n.Requests)
	b = appendCounter(b, name+".inflight", uint64(n.InFlight))
	b = appendCounter(b, name+".notifications", n.Notifications)
	b = appendCounter(b, name+".interrupts", n.Interrupts)
	return appendCounter(b, name+".watched", uint64(n.Watched))
}
