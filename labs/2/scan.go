// Command scan finds out what is on the PCI buses of a machine.
package main

import (
	"github.com/yolkos/yolk/arch/amd64/reg"
	"github.com/yolkos/yolk/labs/internal/pcilab"
)

// The two ports of configuration mechanism #1 (PCI 3.0, 3.2.2.3.2).
const (
	configAddress = 0xcf8
	configData    = 0xcfc
)

// read returns the word at off, a multiple of 4, of a function's configuration space.
// Where there is no function, it is all ones.
//
// TODO 1: write the address to configAddress, then read the word from configData.
func read(p reg.Ports, bus, dev, fn, off int) uint32 {
	return 0xffffffff
}

// scan returns the functions on a bus, and those behind its bridges.
//
// TODO 2: ask function 0 of all 32 devices of the bus who they are (probe).
//
// TODO 3: where bit 7 of the header type is set, ask functions 1 to 7 as well.
//
// TODO 4: where a function is a bridge, append what scan finds on the bus behind it.
func scan(p reg.Ports, bus int) []pcilab.Function {
	var list []pcilab.Function
	if f, ok := probe(p, bus, 0, 0); ok {
		list = append(list, f)
	}
	return list
}

// probe asks a function who it is; ok is false if it is not there.
//
// TODO 2: vendor and device are the halves of the word at offset 0; a vendor of
// 0xffff is nobody. The class is the upper half of the word at offset 8.
func probe(p reg.Ports, bus, dev, fn int) (f pcilab.Function, ok bool) {
	f = pcilab.Function{Bus: bus, Dev: dev, Fn: fn, Vendor: 0xffff}
	return f, f.Vendor != 0xffff
}

func main() { pcilab.Main(read, scan) }
