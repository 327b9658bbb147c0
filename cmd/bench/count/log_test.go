package main

import (
	"maps"
	"strings"
	"testing"
)

func TestReadLog(t *testing.T) {
	got, err := readLog(strings.NewReader(`qemu: something [else/3/]
memory_region_ops_read cpu 0 mr 0x55d0 addr 0x3fd value 0x60 size 1 name 'serial'
memory_region_ops_write cpu 0 mr 0x55d0 addr 0x80 value 0x0 size 1 name 'io'
apic_mem_writel 0x380 = 0x00098968
memory_region_ops_write cpu 0 mr 0x55d0 addr 0x80 value 0x1 size 1 name 'io'
Trace 0: 0x7f00 [00000000/0000000000001000/00000000/00000000] a.(*x[go.shape/int]).f
Trace 0: 0x7f04 [00000000/0000000000001000/00000000/00000000] a
memory_region_ops_write cpu 0 mr 0x55d0 addr 0xfee00380 value 0x7 size 4 name 'apic-msi'
apic_mem_writel 0x380 = 0x00098968
     1: v=f0 e=0000 i=0 cpl=0 IP=0008:000000000020a52c pc=000000000020a52c SP=0010:00000000044fdee0 env->regs[R_EAX]=0
Servicing hardware INT=0xf0
memory_region_ops_write cpu 0 mr 0x55d0 addr 0x80 value 0x0 size 1 name 'io'
memory_region_ops_write cpu 0 mr 0x55d0 addr 0x80 value 0x1 size 1 name 'io'
Trace 0: 0x7f00 [00000000/0000000000002000/00000000/00000000] b
memory_region_ops_write cpu -1 mr 0x55d0 addr 0xfee00000 value 0x7 size 4 name 'apic-msi'
memory_region_ops_write cpu 0 mr 0x55d0 addr 0xfeb00e50 value 0x0 size 4 name 'virtio-mmio'
memory_region_ops_write cpu 0 mr 0x55d0 addr 0x80 value 0x0 size 1 name 'io'
memory_region_ops_write cpu 0 mr 0x55d0 addr 0x80 value 0x2 size 1 name 'io'
memory_region_ops_write cpu 0 mr 0x55d0 addr 0x8`))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].exits.String() != "port=1" || got[1].exits.String() != "notify=1" ||
		!maps.Equal(got[1].executed, map[string]int{"0000000000002000": 1}) {
		t.Errorf("boot %+v, first row %+v, %d in all", got[0], got[1], len(got))
	}
}

func TestExitOf(t *testing.T) {
	const none = "none"
	for line, want := range map[string]string{
		"Servicing hardware INT=0xf0":                                                                               "interrupt",
		"apic_mem_writel 0x380 = 0x00098968":                                                                        "timer",
		"apic_mem_readl 0x390 = 0x1":                                                                                "timer",
		"apic_mem_writel 0xb0 = 0x00000000":                                                                         "apic",
		"apic_register_write register 0x38 = 0x98968":                                                               "timer",
		"apic_register_write register 0x0b = 0x0":                                                                   "apic",
		"apic_local_deliver vector 0 delivery mode 0":                                                               none,
		"Trace 0: 0x7f00 [0/1000/0/0] a":                                                                            none,
		"     1: v=f0 e=0000 i=0 cpl=0 IP=0008:00000a":                                                              none,
		"memory_region_ops_write cpu 0 mr 0x5 addr 0xfec00010 value 0x1 size 4 name 'ioapic'":                       "apic",
		"memory_region_ops_read cpu 0 mr 0x5 addr 0x40 value 0x1 size 1 name 'pit'":                                 "port",
		"memory_region_ops_read cpu 0 mr 0x5 addr 0xfeb00e60 value 0x1 size 4 name 'virtio-mmio'":                   "device",
		"memory_region_ops_read cpu 0 mr 0x5 addr 0xfeb00e50 value 0x1 size 4 name 'virtio-mmio'":                   "device",
		"memory_region_ops_write cpu 0 mr 0x5 addr 0xc0003000 value 0x1 size 2 name 'virtio-pci-notify-virtio-rng'": "notify",
		"memory_region_ops_write cpu 0 mr 0x5 addr":                                                                 none,
	} {
		got := none
		if kind, ok := exitOf([]byte(line)); ok {
			got = kindNames[kind]
		}
		if got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

func TestExitsReadBack(t *testing.T) {
	for _, want := range []exits{{}, {notify: 1, device: 0.25}, {timer: 0.5, port: 1200}} {
		if got, err := parseExits(want.String()); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", want, got, err, want)
		}
	}
	for _, text := range []string{"", "notify", "yolk=1", "notify=x"} {
		if got, err := parseExits(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
