package mmio

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/yolkos/yolk/arch/amd64/reg"
)

// Slot is a place where a transport may be.
type Slot struct {
	Base uint64 // physical address of the registers
	Size uint64 // bytes
	IRQ  int    // number of the global system interrupt
}

// minSize is the registers up to the device configuration.
const minSize = regConfig

const parameter = "virtio_mmio.device="

// CommandLine returns the slots that the words of a kernel command line name, in
// Linux's form: virtio_mmio.device=<size>[KMG]@<base>:<irq>[:<id>]. Words that begin
// so and make no sense are errors, each naming the word; the others count.
func CommandLine(words []string) (slots []Slot, errs []error) {
	for _, word := range words {
		value, ok := strings.CutPrefix(word, parameter)
		if !ok {
			continue
		}
		s, problem := parseSlot(value)
		if problem == "" {
			for _, other := range slots {
				if s.Base < other.Base+other.Size && other.Base < s.Base+s.Size {
					problem = "overlaps an earlier device"
				}
			}
		}
		if problem != "" {
			errs = append(errs, fmt.Errorf("kernel command line: %q: %s; want %s<size>[KMG]@<base>:<irq>[:<id>]", word, problem, parameter))
			continue
		}
		slots = append(slots, s)
	}
	return slots, errs
}

func parseSlot(v string) (s Slot, problem string) {
	size, rest, ok := strings.Cut(v, "@")
	if !ok {
		return s, "no @ after the size"
	}
	unit := uint64(1)
	if size != "" {
		switch size[len(size)-1] {
		case 'k', 'K':
			unit = 1 << 10
		case 'm', 'M':
			unit = 1 << 20
		case 'g', 'G':
			unit = 1 << 30
		}
	}
	if unit > 1 {
		size = size[:len(size)-1]
	}
	n, err := strconv.ParseUint(size, 0, 64)
	if err != nil || n > math.MaxUint64/unit {
		return s, "bad size"
	}
	s.Size = n * unit
	base, rest, ok := strings.Cut(rest, ":")
	if !ok {
		return s, "no interrupt after the base"
	}
	if s.Base, err = strconv.ParseUint(base, 0, 64); err != nil {
		return s, "bad base"
	}
	irq, id, hasID := strings.Cut(rest, ":")
	q, err := strconv.ParseUint(irq, 0, 16)
	if err != nil {
		return s, "bad interrupt"
	}
	s.IRQ = int(q)
	if hasID {
		if _, err := strconv.ParseInt(id, 0, 32); err != nil {
			return s, "bad id"
		}
	}
	if s.Size < minSize || s.Size > 1<<20 {
		return s, fmt.Sprintf("size %d is not between %d and 1M", s.Size, minSize)
	}
	if s.Base == 0 || s.Base%4 != 0 || s.Base > math.MaxUint64-s.Size {
		return s, "base is not an aligned address"
	}
	return s, ""
}

// QEMU's microvm has its transports here (hw/i386/microvm.c).
const (
	microvmBase  = 0xfeb00000
	microvmSlot  = 512
	microvmFew   = 8  // without a second I/O APIC
	microvmMany  = 24 // with one
	microvmIRQ   = 5
	microvmIRQ2  = 24
	microvmACPI  = 16
	microvmTotal = microvmMany * microvmSlot
)

// MicrovmWindow is the memory that Probe looks at.
const (
	MicrovmBase = microvmBase
	MicrovmSize = microvmTotal
)

// Probe looks for microvm's transports in regs, the MicrovmSize bytes at
// MicrovmBase, and returns those that are there, with or without a device. The
// interrupts follow from the number of transports: 24 mean a second I/O APIC; 8
// mean none, and then they begin at 16 with ACPI and at 5 without.
func Probe(regs reg.Regs, acpi bool) []Slot {
	n := 0
	for n < microvmMany && regs.Read32(n*microvmSlot+regMagic) == magic {
		n++
	}
	irq := microvmIRQ
	switch {
	case n > microvmFew:
		irq = microvmIRQ2
	case acpi:
		irq = microvmACPI
	}
	var slots []Slot
	for i := range n {
		slots = append(slots, Slot{microvmBase + uint64(i)*microvmSlot, microvmSlot, irq + i})
	}
	return slots
}
