package main

import (
	"debug/elf"
	"maps"
	"testing"
)

func TestNamed(t *testing.T) {
	f := functions{{Name: "a", Value: 0x1000}, {Name: "b", Value: 0x2000}}
	counts, err := f.named(map[string]int{"0000000000001000": 1, "0000000000001ffc": 2, "0000000000002000": 3, "0000000000000ff0": 4})
	if want := map[string]int{"a": 3, "b": 3, outside: 4}; err != nil || !maps.Equal(counts, want) {
		t.Errorf("%v, %v; want %v", counts, err, want)
	}
	if _, err := f.named(map[string]int{"yolk": 1}); err == nil {
		t.Error("an address that is none was taken")
	}
}

func TestReadFunctions(t *testing.T) {
	if _, err := readFunctions("functions_test.go"); err == nil {
		t.Error("a file that is no image was taken")
	}
	if (functions{{Name: "a", Value: 8, Section: elf.SHN_ABS}}).at(7) != outside {
		t.Error("an address below all functions has a name")
	}
}
