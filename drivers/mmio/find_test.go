package mmio

import (
	"reflect"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	tests := []struct {
		line string
		want []Slot
		bad  []string
	}{
		{"", nil, nil},
		{"quiet root=/ virtio_mmio.device=512@0xfeb00e00:12 x", []Slot{{0xfeb00e00, 512, 12}}, nil},
		{"virtio_mmio.device=512@0xfeb00e00:12 virtio_mmio.device=4K@0xd0000000:5:3", []Slot{{0xfeb00e00, 512, 12}, {0xd0000000, 4096, 5}}, nil},
		{"virtio_mmio.device=1m@4096:0x10:-1", []Slot{{4096, 1 << 20, 16}}, nil},
		{"virtio_mmio.device=0x200@010000:7", []Slot{{010000, 512, 7}}, nil},
		{"virtio_mmio.devices=1 virtio_mmio.device", nil, nil},
		{"virtio_mmio.device=512@0xfeb00e00:12 virtio_mmio.device=512@0xfeb00f00:13", []Slot{{0xfeb00e00, 512, 12}}, []string{"overlaps"}},
		{"virtio_mmio.device=", nil, []string{"no @"}},
		{"virtio_mmio.device=@:", nil, []string{"bad size"}},
		{"virtio_mmio.device=K@1:1", nil, []string{"bad size"}},
		{"virtio_mmio.device=-1@4096:1", nil, []string{"bad size"}},
		{"virtio_mmio.device=17179869184G@4096:1", nil, []string{"bad size"}},
		{"virtio_mmio.device=8@4096:1", nil, []string{"size 8"}},
		{"virtio_mmio.device=1G@4096:1", nil, []string{"size 1073741824"}},
		{"virtio_mmio.device=512@4096", nil, []string{"no interrupt"}},
		{"virtio_mmio.device=512@x:1", nil, []string{"bad base"}},
		{"virtio_mmio.device=512@0:1", nil, []string{"base is not"}},
		{"virtio_mmio.device=512@4097:1", nil, []string{"base is not"}},
		{"virtio_mmio.device=512@0xffffffffffffff00:1", nil, []string{"base is not"}},
		{"virtio_mmio.device=512@4096:", nil, []string{"bad interrupt"}},
		{"virtio_mmio.device=512@4096:70000", nil, []string{"bad interrupt"}},
		{"virtio_mmio.device=512@4096:1:", nil, []string{"bad id"}},
		{"virtio_mmio.device=512@4096:1:2:3", nil, []string{"bad id"}},
	}
	for _, tt := range tests {
		got, errs := CommandLine(strings.Fields(tt.line))
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: %+v, want %+v", tt.line, got, tt.want)
		}
		if len(errs) != len(tt.bad) {
			t.Errorf("%q: errors %v, want %q", tt.line, errs, tt.bad)
			continue
		}
		for i, err := range errs {
			if !strings.Contains(err.Error(), tt.bad[i]) {
				t.Errorf("%q: %v, want %q", tt.line, err, tt.bad[i])
			}
		}
	}
}

func FuzzCommandLine(f *testing.F) {
	f.Add("virtio_mmio.device=512@0xfeb00e00:12 virtio_mmio.device=4K@0xd0000000:5:3")
	f.Add("virtio_mmio.device=@: virtio_mmio.device=1G@-1:0:")
	f.Fuzz(func(t *testing.T, line string) {
		slots, errs := CommandLine(strings.Fields(line))
		if len(slots)+len(errs) > strings.Count(line, parameter) {
			t.Errorf("%d slots and %d errors", len(slots), len(errs))
		}
		for _, s := range slots {
			if s.Base == 0 || s.Base+s.Size < s.Base || s.Size < minSize || s.IRQ < 0 {
				t.Errorf("%+v", s)
			}
		}
	})
}

type slots struct {
	registers
	n int
}

func (s *slots) Read32(off int) uint32 {
	if off < s.n*512 {
		return magic
	}
	return 0xffffffff
}

func TestProbe(t *testing.T) {
	for _, tt := range []struct {
		n     int
		acpi  bool
		first int
	}{{0, false, 0}, {8, false, 5}, {8, true, 16}, {24, false, 24}, {24, true, 24}} {
		got := Probe(&slots{n: tt.n}, tt.acpi)
		if len(got) != tt.n {
			t.Errorf("%d slots, want %d", len(got), tt.n)
		}
		for i, s := range got {
			if s != (Slot{0xfeb00000 + uint64(i)*512, 512, tt.first + i}) {
				t.Errorf("slot %d of %d: %+v", i, tt.n, s)
			}
		}
	}
}
