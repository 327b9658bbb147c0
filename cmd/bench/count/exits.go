package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// A guest leaves its processor for the hypervisor, which under KVM takes as long as
// thousands of instructions, by one of these.
const (
	notify     = iota // a virtio device is told that there is something in a queue
	interrupt         // an interrupt is taken
	timer             // a register of the local APIC's timer
	controller        // another register of the local APIC, or one of an I/O APIC
	port              // an I/O port
	device            // another register of a device in memory
	kinds
)

// kindNames are how the figures and the page call them.
var kindNames = [kinds]string{"notify", "interrupt", "timer", "apic", "port", "device"}

// exits are how many of each kind an operation takes.
type exits [kinds]float64

func (e exits) sum() (n float64) {
	for _, v := range e {
		n += v
	}
	return n
}

// over spreads them over n operations.
func (e exits) over(n int) exits {
	for k := range e {
		e[k] /= float64(n)
	}
	return e
}

// String is "0", or such as "notify=1,apic=0.5".
func (e exits) String() string {
	var list []string
	for k, v := range e {
		if text := decimal(v); text != "0" {
			list = append(list, kindNames[k]+"="+text)
		}
	}
	if list == nil {
		return "0"
	}
	return strings.Join(list, ",")
}

// decimal is a number with as many as two decimals.
func decimal(v float64) string {
	text := strings.TrimRight(strconv.FormatFloat(v, 'f', 2, 64), "0")
	return strings.TrimSuffix(text, ".")
}

// parseExits reads what String has written.
func parseExits(text string) (e exits, err error) {
	if text == "0" {
		return e, nil
	}
	for item := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(item, "=")
		k := 0
		for k < kinds && kindNames[k] != name {
			k++
		}
		if k == kinds {
			return e, fmt.Errorf("%q is no kind of exit", item)
		}
		if e[k], err = strconv.ParseFloat(value, 64); err != nil {
			return e, err
		}
	}
	return e, nil
}

// exitsLogged are the arguments by which QEMU logs exits.
func exitsLogged(file string) []string {
	return []string{"-D", file, "-d", "int", "-trace", "memory_region_ops_*", "-trace", "apic_mem_*", "-trace", "apic_register_*"}
}

// Registers of the local APIC (Intel SDM vol. 3, table 11-1).
const (
	lapicTimer  = 0x320
	lapicCounts = 0x380 // that, what is left of it, and the divider
	lapicDivide = 0x3e0
)

// exitOf is the kind of exit that a line of QEMU's log is about. Lines are, among others,
//
//	Servicing hardware INT=0xf0
//	apic_mem_writel 0x380 = 0x00098968
//	apic_register_write register 0x38 = 0x98968
//	memory_region_ops_write cpu 0 mr 0x55d0 addr 0xfeb00e50 value 0x0 size 4 name 'virtio-mmio'
//
// in the third, of newer versions, a register's number is a sixteenth of its offset.
func exitOf(line []byte) (kind int, ok bool) {
	if bytes.HasPrefix(line, []byte("Servicing hardware INT")) {
		return interrupt, true
	}
	if rest, ok := bytes.CutPrefix(line, []byte("apic_")); ok {
		f := strings.Fields(string(rest))
		if len(f) < 2 {
			return 0, false
		}
		scale := uint64(1)
		if f[1] == "register" && len(f) > 2 {
			f, scale = f[1:], 16
		}
		reg, err := strconv.ParseUint(f[1], 0, 16)
		if reg *= scale; reg == lapicTimer || reg >= lapicCounts && reg <= lapicDivide {
			return timer, err == nil
		}
		return controller, err == nil
	}
	a, ok := parseAccess(line)
	switch {
	case !ok || a.name == "apic-msi": // whose registers are logged by themselves
		return 0, false
	case a.address < 1<<16:
		return port, true
	case a.name == "ioapic":
		return controller, true
	case a.write && (a.name == "virtio-mmio" && a.address%mmioTransport == mmioNotify || strings.HasPrefix(a.name, "virtio-pci-notify")):
		return notify, true
	}
	return device, true
}

// A virtio-mmio device of QEMU (virtio 1.2, 4.2.2).
const (
	mmioTransport = 0x200 // bytes from one to the next
	mmioNotify    = 0x50
)

// access is one to a register of a device by a processor.
type access struct {
	write          bool
	address, value uint64
	name           string // of the region
}

// parseAccess reads a line of QEMU's trace event memory_region_ops_read or _write.
func parseAccess(line []byte) (a access, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("memory_region_ops_"))
	if !ok {
		return a, false
	}
	f := strings.Fields(string(rest))
	if len(f) < 13 || f[1] != "cpu" || strings.HasPrefix(f[2], "-") { // a device's own
		return a, false
	}
	var err1, err2 error
	a.write = f[0] == "write"
	a.address, err1 = strconv.ParseUint(f[6], 0, 64)
	a.value, err2 = strconv.ParseUint(f[8], 0, 64)
	a.name = strings.Trim(strings.Join(f[12:], " "), "'")
	return a, err1 == nil && err2 == nil
}
