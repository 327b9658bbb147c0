package procfs

import (
	"cmp"
	"slices"
	"strconv"
)

// Resource is a part of the physical address space, up to before End.
type Resource struct {
	Start, End uint64
	Name       string
}

// Iomem is iomem: what lies in another part is indented below it.
func Iomem(resources func() []Resource) func(b []byte) []byte {
	return func(b []byte) []byte {
		list := slices.DeleteFunc(resources(), func(r Resource) bool { return r.Start >= r.End })
		slices.SortStableFunc(list, func(a, b Resource) int {
			return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
		})
		var around []Resource
		for _, r := range list {
			for len(around) > 0 && around[len(around)-1].End < r.End {
				around = around[:len(around)-1]
			}
			for range around {
				b = append(b, "  "...)
			}
			b = appendAddress(append(appendAddress(b, r.Start), '-'), r.End-1)
			b = append(append(append(b, " : "...), r.Name...), '\n')
			around = append(around, r)
		}
		return b
	}
}

// appendAddress appends an address in eight digits at least.
func appendAddress(b []byte, a uint64) []byte {
	for digits := uint64(0x10000000); digits > max(a, 1); digits >>= 4 {
		b = append(b, '0')
	}
	return strconv.AppendUint(b, a, 16)
}
