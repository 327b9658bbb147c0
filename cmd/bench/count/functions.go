package main

import (
	"cmp"
	"debug/elf"
	"fmt"
	"slices"
	"strconv"
)

// functions are those of an image, by their addresses.
type functions []elf.Symbol

func readFunctions(image string) (functions, error) {
	f, err := elf.Open(image)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := f.Symbols()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", image, err)
	}
	all = slices.DeleteFunc(all, func(s elf.Symbol) bool { return elf.ST_TYPE(s.Info) != elf.STT_FUNC })
	slices.SortFunc(all, func(a, b elf.Symbol) int { return cmp.Compare(a.Value, b.Value) })
	return all, nil
}

// outside is the name of what is not the image's: the firmware.
const outside = "(outside of the image)"

// at is the name of the function at an address.
func (f functions) at(pc uint64) string {
	i, found := slices.BinarySearchFunc(f, pc, func(s elf.Symbol, pc uint64) int { return cmp.Compare(s.Value, pc) })
	switch {
	case found:
		return f[i].Name
	case i == 0 || pc >= f[i-1].Value+max(f[i-1].Size, 1) && i == len(f):
		return outside
	}
	return f[i-1].Name
}

// named adds up the instructions of each function, by addresses of QEMU's log.
func (f functions) named(executed map[string]int) (map[string]int, error) {
	counts := map[string]int{}
	for text, n := range executed {
		pc, err := strconv.ParseUint(text, 16, 64)
		if err != nil {
			return nil, fmt.Errorf("QEMU's log: %q is no address", text)
		}
		counts[f.at(pc)] += n
	}
	return counts, nil
}
