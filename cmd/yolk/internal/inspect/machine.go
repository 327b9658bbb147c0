// Package inspect makes something to look at of what a guest's kernel tells of its machine
// in /proc: a tree of it, as text and as a picture, and numbers that change.
package inspect

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/yolkos/yolk/drivers/virtio/names"
)

// Source is a guest, of which files of /proc can be read: "yolk/devices".
type Source interface {
	ReadProc(ctx context.Context, name string) ([]byte, error)
}

// Machine is what a guest is made of. All of its text is a stranger's.
type Machine struct {
	Title   string // what it runs, and on which machine
	CPUs    int
	CPU     string
	MHz     string
	Memory  []Region
	PCI     []string // its functions, empty without a PCI bus
	Devices []Device // virtio devices, in the order of their addresses
	Mounts  []Mount
}

// Region is a part of the address space, up to before End, as of /proc/iomem.
type Region struct {
	Start, End uint64
	Name       string
	Depth      int // in how many others it lies
}

// Device is a virtio device.
type Device struct {
	Name     string // "virtio-mmio feb00e00"
	ID       uint32 // its type (virtio 1.2 §5)
	Use      string // what the kernel uses it for
	Offered  uint64 // features
	Accepted uint64
	Driven   bool // it has a driver
	Failed   string
	Queues   []Queue
}

// Queue is a virtqueue.
type Queue struct {
	Index, Size int // Size in descriptors
	Name        string
}

// Mount is a line of /proc/self/mounts.
type Mount struct{ Source, Path, Type, Options string }

// Kind says what a device is.
func (d *Device) Kind() string { return names.Device(d.ID) }

// Features returns the names of the features that the driver has accepted, and of those
// that it has not.
func (d *Device) Features() (accepted, left []string) {
	return names.Features(d.ID, d.Offered&d.Accepted), names.Features(d.ID, d.Offered&^d.Accepted)
}

// Read finds out what a guest is made of. What its kernel does not tell is missing.
func Read(ctx context.Context, s Source) (*Machine, error) {
	m := &Machine{}
	for _, f := range []struct {
		name  string
		parse func(line string)
	}{
		{"cpuinfo", m.cpuinfo}, {"iomem", m.iomem}, {"yolk/pci", func(line string) { m.PCI = append(m.PCI, line) }},
		{"yolk/devices", m.device}, {"self/mounts", m.mount},
	} {
		data, err := s.ReadProc(ctx, f.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // an older kernel's
		}
		if err != nil {
			return nil, err
		}
		for in := bufio.NewScanner(bytes.NewReader(data)); in.Scan(); {
			f.parse(printable(in.Text()))
		}
	}
	slices.SortStableFunc(m.Devices, func(a, b Device) int { return cmp.Compare(a.Name, b.Name) })
	for _, d := range m.Devices {
		slices.SortStableFunc(d.Queues, func(a, b Queue) int { return cmp.Compare(a.Index, b.Index) })
	}
	return m, nil
}

// printable replaces what could do something to a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0xfffd {
			return '?'
		}
		return r
	}, s)
}

func (m *Machine) cpuinfo(line string) {
	key, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch strings.TrimSpace(key) {
	case "processor":
		m.CPUs++
	case "model name":
		m.CPU = value
	case "cpu MHz":
		m.MHz, _, _ = strings.Cut(value, ".")
	}
}

func (m *Machine) iomem(line string) {
	text := strings.TrimLeft(line, " ")
	addresses, name, ok := strings.Cut(text, " : ")
	first, last, ok2 := strings.Cut(addresses, "-")
	start, err := strconv.ParseUint(first, 16, 64)
	end, err2 := strconv.ParseUint(last, 16, 64)
	if ok && ok2 && err == nil && err2 == nil && start <= end && end+1 > 0 {
		m.Memory = append(m.Memory, Region{start, end + 1, name, (len(line) - len(text)) / 2})
	}
}

func (m *Machine) device(line string) {
	field, ok := strings.CutPrefix(line, "  ")
	if !ok {
		m.Devices = append(m.Devices, Device{Name: line})
		return
	}
	if len(m.Devices) == 0 {
		return
	}
	d := &m.Devices[len(m.Devices)-1]
	key, value, _ := strings.Cut(field, " ")
	switch key {
	case "id":
		n, _ := strconv.ParseUint(value, 10, 32) // 0, which is no device, if it is none
		d.ID = uint32(n)
	case "use":
		d.Use = value
	case "offered":
		d.Offered, _ = strconv.ParseUint(value, 16, 64)
	case "accepted":
		d.Accepted, _ = strconv.ParseUint(value, 16, 64)
		d.Driven = true
	case "failed":
		d.Failed = value
	case "queue":
		words := strings.SplitN(value, " ", 3)
		if len(words) == 3 {
			index, err := strconv.Atoi(words[0])
			size, err2 := strconv.Atoi(words[1])
			if err == nil && err2 == nil {
				d.Queues = append(d.Queues, Queue{index, size, words[2]})
			}
		}
	}
}

func (m *Machine) mount(line string) {
	if w := strings.Fields(line); len(w) >= 4 {
		m.Mounts = append(m.Mounts, Mount{w[0], unescape(w[1]), w[2], w[3]})
	}
}

// unescape undoes what getmntent(3) does to names: \040 is a space.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil && n >= ' ' {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
