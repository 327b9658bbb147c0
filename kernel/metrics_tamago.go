//go:build tamago

package kernel

import (
	"runtime"
	"strconv"
	"time"

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/fs/fusefs"
	"github.com/yolkos/yolk/kernel/metrics"
)

func label(name, value string) metrics.Label { return metrics.Label{Name: name, Value: value} }

// appendMetrics is /proc/yolk/metrics.
func (m *machine) appendMetrics(b []byte) []byte {
	t := metrics.New(b)
	m.machineMetrics(t)
	runtimeMetrics(t)
	m.deviceMetrics(t)
	m.fuseMetrics(t)
	m.networkMetrics(t)
	m.treeMetrics(t)
	return t.End()
}

// machineMetrics are of the machine and of its one process, those named as by
// Prometheus's own libraries.
func (m *machine) machineMetrics(t *metrics.Text) {
	u := m.uname()
	t.Family("yolk_build", metrics.Info, "", "What the image was made with, and the release that its kernel stands for.")
	t.Uint(1, label("goversion", runtime.Version()), label("release", u.release))
	up := time.Since(m.started)
	t.Family("process_start_time_seconds", metrics.Gauge, "seconds", "When the machine was started, since 1970.")
	t.Float(float64(time.Now().Add(-up).UnixNano()) / 1e9)
	t.Family("yolk_cpu_seconds", metrics.Counter, "seconds", "Time that each processor was busy and idle.")
	busy := time.Duration(0)
	for i := range amd64.CPUs() {
		idle := min(amd64.IdleTime(i), up)
		busy += up - idle
		cpu := label("cpu", strconv.Itoa(i))
		t.Seconds(up-idle, cpu, label("mode", "busy"))
		t.Seconds(idle, cpu, label("mode", "idle"))
	}
	t.Family("process_cpu_seconds", metrics.Counter, "seconds", "Time that all processors were busy: program and kernel are not told apart.")
	t.Seconds(busy)
	t.Family("process_open_fds", metrics.Gauge, "", "Open descriptors.")
	t.Uint(uint64(len(m.calls.Descriptors())))
	mem := meminfo()
	t.Family("yolk_memory_size_bytes", metrics.Gauge, "bytes", "RAM of the machine.")
	t.Uint(mem.Total)
	t.Family("yolk_memory_available_bytes", metrics.Gauge, "bytes", "RAM that the program can still have.")
	t.Uint(mem.Available)
	t.Family("yolk_interrupts", metrics.Counter, "", "Interrupts by vector.")
	for _, c := range amd64.InterruptCounts() {
		t.Uint(c.Count, label("vector", strconv.Itoa(int(c.Vector))), label("device", c.Name))
	}
}

// runtimeMetrics are of the Go runtime, named as Prometheus's library for Go has them.
func runtimeMetrics(t *metrics.Text) {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	t.Family("go_goroutines", metrics.Gauge, "", "Goroutines that exist, the kernel's own included.")
	t.Uint(uint64(runtime.NumGoroutine()))
	for _, f := range [...]struct {
		name  string
		kind  metrics.Type
		unit  string
		help  string
		value uint64
	}{
		{"go_memstats_alloc_bytes", metrics.Counter, "bytes", "Bytes allocated in all, those freed included.", s.TotalAlloc},
		{"go_memstats_mallocs", metrics.Counter, "", "Objects allocated in all.", s.Mallocs},
		{"go_memstats_frees", metrics.Counter, "", "Objects freed in all.", s.Frees},
		{"go_memstats_heap_alloc_bytes", metrics.Gauge, "bytes", "Bytes of objects in the heap.", s.HeapAlloc},
		{"go_memstats_heap_inuse_bytes", metrics.Gauge, "bytes", "Bytes of the heap's spans in use.", s.HeapInuse},
		{"go_memstats_heap_idle_bytes", metrics.Gauge, "bytes", "Bytes of the heap's spans not in use.", s.HeapIdle},
		{"go_memstats_heap_objects", metrics.Gauge, "", "Objects in the heap.", s.HeapObjects},
		{"go_memstats_stack_inuse_bytes", metrics.Gauge, "bytes", "Bytes of stacks.", s.StackInuse},
		{"go_memstats_sys_bytes", metrics.Gauge, "bytes", "Bytes that the runtime has from the machine.", s.Sys},
		{"go_memstats_next_gc_bytes", metrics.Gauge, "bytes", "Size of the heap at which the next collection begins.", s.NextGC},
		{"go_gc_cycles", metrics.Counter, "", "Collections that have ended.", uint64(s.NumGC)},
	} {
		t.Family(f.name, f.kind, f.unit, f.help)
		t.Uint(f.value)
	}
	t.Family("go_gc_pause_seconds", metrics.Counter, "seconds", "Time for which collections have stopped the world.")
	t.Seconds(time.Duration(s.PauseTotalNs))
}

// device is a virtio device that the kernel drives.
type device struct {
	name string
	*virtio.Device
}

func (m *machine) devices() (list []device) {
	for _, s := range m.shares {
		dev := s.dev.Load()
		list = append(list, device{dev.Name(), dev.Device()})
	}
	for _, d := range m.disks {
		list = append(list, device{d.name, d.dev.Device()})
	}
	for i, n := range m.networks {
		list = append(list, device{networkName(i), n.Device()})
	}
	return list
}

// networkName is the name that the interface of a network device gets.
func networkName(i int) string { return "eth" + strconv.Itoa(i) }

// deviceMetrics are of the queues of virtio devices.
func (m *machine) deviceMetrics(t *metrics.Text) {
	devices := m.devices()
	if len(devices) == 0 {
		return
	}
	for _, f := range [...]struct {
		name  string
		kind  metrics.Type
		unit  string
		help  string
		value func(s *virtio.Stats) uint64
	}{
		{"yolk_virtio_requests", metrics.Counter, "", "Requests put into a queue.", func(s *virtio.Stats) uint64 { return s.Requests }},
		{"yolk_virtio_notifications", metrics.Counter, "", "Notifications of a queue to its device.", func(s *virtio.Stats) uint64 { return s.Notifications }},
		{"yolk_virtio_interrupts", metrics.Counter, "", "Interrupts for a queue.", func(s *virtio.Stats) uint64 { return s.Interrupts }},
		{"yolk_virtio_sent_bytes", metrics.Counter, "bytes", "Bytes to a device.", func(s *virtio.Stats) uint64 { return s.BytesOut }},
		{"yolk_virtio_received_bytes", metrics.Counter, "bytes", "Bytes from a device.", func(s *virtio.Stats) uint64 { return s.BytesIn }},
		{"yolk_virtio_full", metrics.Counter, "", "Waits for room in a queue.", func(s *virtio.Stats) uint64 { return s.Full }},
		{"yolk_virtio_in_flight", metrics.Gauge, "", "Requests under way.", func(s *virtio.Stats) uint64 { return uint64(max(s.InFlight, 0)) }},
	} {
		t.Family(f.name, f.kind, f.unit, f.help)
		for _, d := range devices {
			for _, q := range d.Queues() {
				s := q.Stats()
				t.Uint(f.value(&s), label("device", d.name), label("queue", q.Name()))
			}
			for _, q := range d.BufferQueues() {
				s := q.Stats()
				t.Uint(f.value(&s), label("device", d.name), label("queue", q.Name()))
			}
		}
	}
}

// fuseMetrics are of the shares. Times are measured from the first look on.
func (m *machine) fuseMetrics(t *metrics.Text) {
	type share struct {
		name   metrics.Label
		ops    []fusefs.OpStats
		counts fusefs.Counts
	}
	var shares []share
	for _, s := range m.shares {
		s.mu.Lock()
		f := s.fs
		s.mu.Unlock()
		if f != nil {
			f.Measure()
			shares = append(shares, share{label("share", s.dev.Load().Name()), f.Stats(), f.Counts()})
		}
	}
	if len(shares) == 0 {
		return
	}
	for _, f := range [...]struct {
		name, unit, help string
		value            func(o *fusefs.OpStats) uint64
	}{
		{"yolk_fuse_requests", "", "FUSE requests by opcode.", func(o *fusefs.OpStats) uint64 { return o.Calls }},
		{"yolk_fuse_errors", "", "FUSE requests that have failed.", func(o *fusefs.OpStats) uint64 { return o.Errors }},
		{"yolk_fuse_sent_bytes", "bytes", "Bytes of FUSE requests, headers included.", func(o *fusefs.OpStats) uint64 { return o.Sent }},
		{"yolk_fuse_received_bytes", "bytes", "Bytes of FUSE replies, headers included.", func(o *fusefs.OpStats) uint64 { return o.Received }},
	} {
		t.Family(f.name, metrics.Counter, f.unit, f.help)
		for _, s := range shares {
			for i := range s.ops {
				t.Uint(f.value(&s.ops[i]), s.name, label("opcode", s.ops[i].Op))
			}
		}
	}
	t.Family("yolk_fuse_request_seconds", metrics.Histogram, "seconds", "Time to the reply, of requests that are waited for, since this was first read.")
	for _, s := range shares {
		for _, o := range s.ops {
			buckets := make([]metrics.Bucket, len(o.Times))
			for i, n := range o.Times {
				buckets[i] = metrics.Bucket{Limit: fusefs.TimeLimit(i).Seconds(), Count: n}
			}
			t.Histogram(buckets, o.Took.Seconds(), s.name, label("opcode", o.Op))
		}
	}
	t.Family("yolk_fuse_nodes", metrics.Gauge, "", "Inodes of the server that the kernel holds.")
	for _, s := range shares {
		t.Uint(uint64(s.counts.Nodes), s.name)
	}
	t.Family("yolk_fuse_handles", metrics.Gauge, "", "Handles of the server that the kernel holds.")
	for _, s := range shares {
		t.Uint(uint64(s.counts.Handles), s.name)
	}
}

// networkMetrics are of network devices, also where nothing is linked that uses them.
func (m *machine) networkMetrics(t *metrics.Text) {
	if len(m.networks) == 0 {
		return
	}
	for _, f := range [...]struct {
		name, unit, help string
		value            func(n Network) uint64
	}{
		{"yolk_network_receive_bytes", "bytes", "Bytes of frames received.", func(n Network) uint64 { return n.Stats().RxBytes }},
		{"yolk_network_receive_packets", "", "Frames received.", func(n Network) uint64 { return n.Stats().RxFrames }},
		{"yolk_network_receive_errs", "", "Frames received that were broken.", func(n Network) uint64 { return n.Stats().RxErrors }},
		{"yolk_network_receive_drop", "", "Frames received that there was no room for.", func(n Network) uint64 { return n.Stats().RxDropped }},
		{"yolk_network_transmit_bytes", "bytes", "Bytes of frames sent.", func(n Network) uint64 { return n.Stats().TxBytes }},
		{"yolk_network_transmit_packets", "", "Frames sent.", func(n Network) uint64 { return n.Stats().TxFrames }},
		{"yolk_network_transmit_errs", "", "Frames that could not be sent.", func(n Network) uint64 { return n.Stats().TxErrors }},
		{"yolk_network_transmit_drop", "", "Frames to send that there was no room for.", func(n Network) uint64 { return n.Stats().TxDropped }},
	} {
		t.Family(f.name, metrics.Counter, f.unit, f.help)
		for i, n := range m.networks {
			t.Uint(f.value(n), label("device", networkName(i)))
		}
	}
}

// treeMetrics are of the tree of files.
func (m *machine) treeMetrics(t *metrics.Text) {
	held, limit, evicted := m.vfs.CacheStats()
	t.Family("yolk_names", metrics.Gauge, "", "Names in the cache.")
	t.Uint(uint64(held))
	t.Family("yolk_names_limit", metrics.Gauge, "", "Names that the cache may have.")
	t.Uint(uint64(limit))
	t.Family("yolk_names_evicted", metrics.Counter, "", "Names that were given up for others.")
	t.Uint(evicted)
	t.Family("yolk_mount", metrics.Info, "", "What is mounted.")
	seen := map[string]bool{} // one mounted on another has its path as well
	for _, i := range m.vfs.Mounts() {
		id := strconv.Itoa(int(i.ID))
		if !i.Dir && !seen[id] {
			seen[id] = true
			t.Uint(1, label("id", id), label("path", i.Path), label("type", i.Type), label("source", i.Source), label("mode", i.Options()))
		}
	}
}
