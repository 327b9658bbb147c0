package main

import (
	"debug/elf"
	"maps"
	"strings"
	"testing"
)

func TestCountLog(t *testing.T) {
	f := functions{{Name: "a", Value: 0x1000}, {Name: "b", Value: 0x2000}}
	log := `qemu: something [else/3/]
Trace 0: 0x7f00 [00000000/0000000000001000/00000000/00000000] a.(*x[go.shape/int]).f
Trace 0: 0x7f04 [00000000/0000000000001ffc/00000000/00000000] a
Trace 0: 0x7f08 [00000000/0000000000002000/00000000/00000000] b
Trace 0: 0x7f0c [00000000/0000000000000ff0/00000000/00000000]
`
	for end, want := range map[string]map[string]int{
		"":  {"a": 2, "b": 1, outside: 1},
		"b": {"a": 2},
	} {
		if counts, err := f.count(strings.NewReader(log), end); err != nil || !maps.Equal(counts, want) {
			t.Errorf("until %q: %v, %v; want %v", end, counts, err, want)
		}
	}
	if _, err := f.count(strings.NewReader("Trace 0: 0x7f00 [0/yolk/0]\n"), ""); err == nil {
		t.Error("a log that is none was taken")
	}
}

func TestReadFunctions(t *testing.T) {
	if _, err := readFunctions("profile_test.go"); err == nil {
		t.Error("a file that is no image was taken")
	}
	if (functions{{Name: "a", Value: 8, Section: elf.SHN_ABS}}).at(7) != outside {
		t.Error("an address below all functions has a name")
	}
}
