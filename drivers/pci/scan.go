package pci

import (
	"errors"
	"fmt"
	"slices"
)

// errNumbers means that the bus numbers make no sense as they are.
var errNumbers = errors.New("bus numbers")

// scan finds all functions. Bus numbers that firmware gave are kept if all of
// them make sense; otherwise all are given anew.
func (b *Bus) scan() error {
	for _, renumber := range []bool{false, true} {
		b.functions, b.lastBus = nil, 0
		err := b.scanBus(0, b.space.buses()-1, nil, renumber)
		if err == nil {
			break
		}
		if !errors.Is(err, errNumbers) || renumber {
			return fmt.Errorf("pci: %w", err)
		}
	}
	slices.SortFunc(b.functions, func(x, y *Function) int { return int(x.Addr) - int(y.Addr) })
	return nil
}

// scanBus finds what is on a bus, and behind its bridges on buses up to last.
func (b *Bus) scanBus(bus, last int, parent *Function, renumber bool) error {
	if renumber {
		b.silence(bus)
	}
	for dev := range 32 {
		for fn := range 8 {
			a := MakeAddr(bus, dev, fn)
			id := b.space.read(a, regID, 4)
			if !present(id) {
				if fn == 0 {
					break // function 0 must be there (§3.2.2.3.4)
				}
				continue
			}
			f := b.probe(a, id, parent)
			b.functions = append(b.functions, f)
			if parent != nil {
				parent.children = append(parent.children, f)
			}
			if f.bridge {
				if err := b.scanBridge(f, last, renumber); err != nil {
					return err
				}
			}
			if fn == 0 && f.Read8(regHeader)&headerMulti == 0 {
				break
			}
		}
	}
	return nil
}

// silence takes the numbers away from all bridges on a bus, so that none with old
// ones answers for a bus behind another.
func (b *Bus) silence(bus int) {
	for dev := range 32 {
		for fn := range 8 {
			a := MakeAddr(bus, dev, fn)
			if !present(b.space.read(a, regID, 4)) {
				if fn == 0 {
					break
				}
				continue
			}
			header := b.space.read(a, regHeader, 1)
			if header&headerType == headerBridge {
				keep := b.space.read(a, regBusNumbers, 4) & 0xff000000
				b.space.write(a, regBusNumbers, 4, keep)
			}
			if fn == 0 && header&headerMulti == 0 {
				break
			}
		}
	}
}

func (b *Bus) scanBridge(f *Function, last int, renumber bool) error {
	bus := f.Bus()
	numbers := f.Read32(regBusNumbers)
	if !renumber {
		primary, secondary, subordinate := int(numbers&0xff), int(numbers>>8&0xff), int(numbers>>16&0xff)
		if primary != bus || secondary <= b.lastBus || subordinate < secondary || subordinate > last {
			return errNumbers
		}
		f.secondary, b.lastBus = secondary, secondary
		err := b.scanBus(secondary, subordinate, f, renumber)
		b.lastBus = subordinate
		return err
	}
	keep := numbers & 0xff000000 // secondary latency timer
	if b.lastBus >= last {
		b.log("pci %v: no bus number is left for what is behind it", f.Addr)
		f.Write32(regBusNumbers, keep)
		f.bridge = false
		return nil
	}
	b.lastBus++
	f.secondary = b.lastBus
	set := func(subordinate int) {
		f.Write32(regBusNumbers, keep|uint32(bus)|uint32(f.secondary)<<8|uint32(subordinate)<<16)
	}
	set(last) // until it is known
	err := b.scanBus(f.secondary, last, f, renumber)
	set(b.lastBus)
	return err
}
