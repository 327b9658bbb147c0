package amd64

import (
	"encoding/binary"
	"testing"
)

// multiboot makes the information of a loader, of tags that are a type and what
// follows its size.
func multiboot(tags ...any) []byte {
	b := make([]byte, mbHeader)
	word := func(v uint32) { b = binary.LittleEndian.AppendUint32(b, v) }
	for i := 0; i < len(tags); i += 2 {
		data := tags[i+1].([]byte)
		word(uint32(tags[i].(int)))
		word(uint32(mbHeader + len(data)))
		b = append(b, data...)
		for len(b)%8 != 0 {
			b = append(b, 0)
		}
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	return b
}

// mbMap makes a memory map with entries of size bytes.
func mbMap(size int, entries ...memEntry) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(size))
	b = binary.LittleEndian.AppendUint32(b, 0)
	for _, e := range entries {
		x := make([]byte, size)
		binary.LittleEndian.PutUint64(x, e.addr)
		binary.LittleEndian.PutUint64(x[8:], e.size)
		binary.LittleEndian.PutUint32(x[16:], e.kind)
		b = append(b, x...)
	}
	return b
}

func TestMultiboot(t *testing.T) {
	const p, end, limit = 0x180000, 0x500000, 1 << 38
	ram := []memEntry{{addr: 0, size: 0x9fc00, kind: 1}, {addr: 0x100000, size: 0x3f00000, kind: 1}, {addr: 0xfe000000, size: 0x1000, kind: 2}}
	module := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, 0x1000000), 0x1000800)
	b := multiboot(mbCmdline, []byte("a -- b\x00"), 2, []byte("GRUB\x00"), mbMemory, mbMap(24, ram...), mbModule, append(module, 0),
		mbOldRSDP, make([]byte, 20), mbNewRSDP, make([]byte, 36), mbEnd, []byte{}, mbCmdline, []byte("behind the end\x00"))
	var m memoryMap
	info, ok := m.readMultiboot(b, p, image, end, limit)
	if !ok || m.main != (Range{0x200000, 0x1000000}) || m.n != 1 || m.extra[0] != (Range{0x1001000, 0x4000000}) || m.module != (Range{0x1000000, 0x1000800}) {
		t.Errorf("%v, %+v", ok, m)
	}
	if string(b[info.cmdline-p:][:7]) != "a -- b\x00" || info.modules != 1 || le32(b[info.rsdp-p-8:]) != mbNewRSDP {
		t.Errorf("%+v", info)
	}
	m = memoryMap{}
	if _, ok := m.readMultiboot(multiboot(mbMemory, mbMap(32, ram...)), p, image, end, limit); !ok || m.main.End != 0x4000000 {
		t.Errorf("wider entries: %v, %+v", ok, m)
	}
	for name, b := range map[string][]byte{
		"empty": nil, "no map": multiboot(mbCmdline, []byte("x\x00")), "map without entries": multiboot(mbMemory, mbMap(24)),
		"entries of no size": multiboot(mbMemory, make([]byte, 64)), "short map": multiboot(mbMemory, []byte{24}),
	} {
		m := memoryMap{}
		if info, ok := m.readMultiboot(b, p, image, end, limit); ok {
			t.Errorf("%s: %+v, %+v", name, info, m)
		}
	}
	m = memoryMap{}
	if info, _ := m.readMultiboot(multiboot(mbCmdline, []byte("no end")), p, image, end, limit); info.cmdline != 0 {
		t.Error("took a command line without an end")
	}
}

func FuzzMultiboot(f *testing.F) {
	f.Add(multiboot(mbCmdline, []byte("a\x00"), mbMemory, mbMap(24, memEntry{addr: 0x100000, size: 0x3f00000, kind: 1}), mbModule, make([]byte, 9)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m memoryMap
		info, ok := m.readMultiboot(b, 0x180000, image, 0x500000, 1<<38)
		if end := 0x180000 + uint64(len(b)); info.cmdline > end || info.rsdp > end {
			t.Errorf("%+v", info)
		}
		if ok && (m.main.Start >= m.main.End || m.main.Start > image) {
			t.Errorf("%+v", m)
		}
	})
}
