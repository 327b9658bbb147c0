package qemu

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"strings"
	"testing"
)

// elfWith is an ELF file of one PT_LOAD with these addresses.
func elfWith(t *testing.T, paddr, memsz uint64) io.ReaderAt {
	var b bytes.Buffer
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 2, Shentsize: 64}
	copy(h.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	note := elf.Prog64{Type: uint32(elf.PT_NOTE), Paddr: 1 << 40, Memsz: 1 << 20} // not loaded by itself
	load := elf.Prog64{Type: uint32(elf.PT_LOAD), Paddr: paddr, Memsz: memsz}
	for _, part := range []any{h, note, load} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return bytes.NewReader(b.Bytes())
}

// TestMemoryForImage: whoever gives a machine too little memory for its image is told how
// much that takes, before anything is started.
func TestMemoryForImage(t *testing.T) {
	const mib = 1 << 20
	for _, tt := range []struct {
		paddr, memsz, memory uint64
		want                 string // "": it is enough
	}{
		{2 * mib, 4 * mib, 20 * mib, ""},
		{2 * mib, 4 * mib, 15 * mib, ""},
		{2 * mib, 5*mib - 1, 15 * mib, "needs 16M"}, // the firmware's part
		{2 * mib, 5*mib - firmwareRAM, 15 * mib, ""},
		{2 * mib, 20 * mib, 20 * mib, "memory 20M: this image needs 31M at least: it fills the first 22 MiB, and the kernel needs 8 behind it; --mem 31M"},
		{2 * mib, 20 * mib, 31 * mib, ""},
		{2 * mib, 300 * mib, 256 * mib, "needs 311M"},
		{1 << 63, 1 << 63, 256 * mib, ""}, // nonsense is QEMU's to refuse
		{0, 1<<64 - 1, 256 * mib, ""},
	} {
		err := checkMemory(elfWith(t, tt.paddr, tt.memsz), tt.memory)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%#x bytes at %#x, %dM: %v, want %q", tt.memsz, tt.paddr, tt.memory/mib, err, tt.want)
		}
	}
	if err := checkMemory(strings.NewReader("no ELF file"), 1); err != nil {
		t.Error(err)
	}
}
