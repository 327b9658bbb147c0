package main

import (
	"maps"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/bench/internal/ops"
)

func TestFiguresReadBack(t *testing.T) {
	want := figures{
		yolk: costs{
			"tmpfs stat 1": {1347, &exits{}}, "boot": {8176335, &exits{port: 3400}},
			"ours": {3, &exits{notify: 0.5, device: 1}}, "boot 01 start": {5, nil},
		},
		linux: costs{"tmpfs stat 1": {3173, &exits{timer: 1}}, "theirs": {5, nil}},
		about: "6.1.0",
	}
	file := filepath.Join(t.TempDir(), "figures")
	if err := want.write(file); err != nil {
		t.Fatal(err)
	}
	if got, err := readFigures(file); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

// TestAdd: of several runs the least counts, of instructions and of exits.
func TestAdd(t *testing.T) {
	row := func(name string, instructions, timers float64) counted {
		return counted{ops.Row{Name: name, Instructions: instructions, Batch: 2}, &batch{exits: exits{timer: timers}}}
	}
	c := costs{}
	c.add([]counted{row("a", 10, 4), row("b", 5, 0), {ops.Row{Name: "boot 01", Instructions: 7, Batch: 1}, nil}})
	c.add([]counted{row("a", 9, 8), row("b", 6, 2)})
	want := costs{"a": {9, &exits{timer: 2}}, "b": {5, &exits{}}, "boot 01": {7, nil}}
	if !maps.EqualFunc(c, want, func(a, b cost) bool { return reflect.DeepEqual(a, b) }) {
		t.Errorf("%v, want %v", c, want)
	}
}

func TestCompare(t *testing.T) {
	none, one := &exits{}, &exits{timer: 1}
	old := figures{yolk: costs{
		"a": {1000, none}, "b": {1000, none}, "c": {10, none}, "gone": {5, none}, "virtio-fs open+close": {10, none},
		"d": {1, none}, "same": {1, one}, "f": {1, nil},
	}}
	now := figures{yolk: costs{
		"a": {1020, none}, "b": {1022, none}, "c": {11, none}, "new": {7, one}, "virtio-fs open+close": {1000, one},
		"d": {1, one}, "same": {1, one}, "f": {1, one},
	}}
	err := compare(old, now)
	if err == nil {
		t.Fatal("nothing is found")
	}
	for name, want := range map[string]bool{
		"a: ": false, "b: ": true, "c: ": false, "gone: ": true, "new: ": false, "open+close": false, "d: exits": true, "same: ": false, "f: ": false,
	} {
		if strings.Contains(err.Error(), name) != want {
			t.Errorf("%q told: %v; want %v: %v", name, !want, want, err)
		}
	}
}

// TestRecorded: every row is in one table of the page, and the goals of exits are
// reached: no operation leaves the guest whose answer is there, and one that asks the
// server while others do takes no more than one exit.
func TestRecorded(t *testing.T) {
	f, err := readFigures(filepath.Join("..", "..", "..", figuresFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range f.names() {
		n := 0
		for _, s := range sections() {
			if s.has(name) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is in %d tables", name, n)
		}
		e := f.yolk[name].exits
		switch _, of, _ := strings.Cut(name, " "); {
		case e == nil || name == ops.Boot:
		case of == ops.UnderLoad && e.sum() > 1, !ops.Waits(name) && e.sum() > 0:
			t.Errorf("%s takes exits: %s", name, e)
		}
	}
}

// TestFirmware: another host's firmware is no change of the kernel's, in its own row and in that of the whole boot.
func TestFirmware(t *testing.T) {
	boot := func(firmware, rest float64) figures {
		return figures{yolk: costs{ops.Boot: {instructions: firmware + rest}, ops.Firmware: {instructions: firmware}}}
	}
	if err := compare(boot(1000, 5000), boot(9000, 5000)); err != nil {
		t.Error(err)
	}
	if err := compare(boot(9000, 5000), boot(1000, 5200)); err == nil || !strings.Contains(err.Error(), "boot: 5200 instructions, recorded are 5000") {
		t.Errorf("got %v", err)
	}
}
