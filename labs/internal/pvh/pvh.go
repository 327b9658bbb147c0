// Package pvh makes an image that QEMU boots of a Go program whose entry point is
// its own: the go command of the user links it for Linux, and Image adds the note
// by which a PVH boot loader finds the entry (Xen, docs/misc/pvh).
package pvh

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Base is where the image is linked to, in bytes: behind the first 2 MiB, which
// are the program's to use.
const Base = 0x200000

// Entry is the name of the function that the machine starts with.
const Entry = "main.start"

// Program is a linked program.
type Program struct {
	Image   []byte // an ELF file with the note
	Symbols []elf.Symbol
}

// Build builds the package main in dir.
func Build(dir string) (*Program, error) {
	tmp, err := os.MkdirTemp("", "yolk-lab-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	file := filepath.Join(tmp, "program")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", file, fmt.Sprintf("-ldflags=-T %#x -E %s", Base+0x1000, Entry), ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, bytes.TrimSpace(out))
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return wrap(data)
}

// wrap makes the image of a linked program.
func wrap(linked []byte) (*Program, error) {
	f, err := elf.NewFile(bytes.NewReader(linked))
	if err != nil {
		return nil, fmt.Errorf("what the linker made: %w", err)
	}
	p := &Program{}
	if p.Symbols, err = f.Symbols(); err != nil {
		return nil, fmt.Errorf("what the linker made: %w", err)
	}
	var loads []*elf.Prog
	for _, s := range f.Progs {
		if s.Type == elf.PT_LOAD {
			loads = append(loads, s)
		}
	}
	p.Image, err = image(loads, f.Entry)
	return p, err
}

// note is the type of the note with the 32-bit entry point, of the owner "Xen"
// (XEN_ELFNOTE_PHYS32_ENTRY).
const note = 18

// image writes an ELF file with the segments and the note.
func image(loads []*elf.Prog, entry uint64) ([]byte, error) {
	const header, segment, noteSize, align = 64, 56, 20, 4096
	var b bytes.Buffer
	put := func(fields ...any) {
		for _, f := range fields {
			binary.Write(&b, binary.LittleEndian, f) // a Buffer takes everything
		}
	}
	n := len(loads) + 1
	put([]byte("\x7fELF\x02\x01\x01"), make([]byte, 9)) // 64-bit, little endian
	put(uint16(elf.ET_EXEC), uint16(elf.EM_X86_64), uint32(1), entry, uint64(header), uint64(0), uint32(0))
	put(uint16(header), uint16(segment), uint16(n), uint16(0), uint16(0), uint16(0))
	noteAt := uint64(header + n*segment)
	put(uint32(elf.PT_NOTE), uint32(elf.PF_R), noteAt, uint64(0), uint64(0), uint64(noteSize), uint64(noteSize), uint64(4))
	at := (noteAt + noteSize + align - 1) &^ (align - 1)
	for _, s := range loads {
		put(uint32(s.Type), uint32(s.Flags), at, s.Vaddr, s.Vaddr, s.Filesz, s.Memsz, uint64(align))
		at = (at + s.Filesz + align - 1) &^ (align - 1)
	}
	put(uint32(4), uint32(4), uint32(note), []byte("Xen\x00"), uint32(entry))
	for _, s := range loads {
		b.Write(make([]byte, (align-b.Len()%align)%align))
		if _, err := io.Copy(&b, s.Open()); err != nil {
			return nil, fmt.Errorf("what the linker made: %w", err)
		}
	}
	return b.Bytes(), nil
}

// Function returns the name of the function that an address lies in, "" if it lies
// in none.
func (p *Program) Function(addr uint64) string {
	for _, s := range p.Symbols {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Value <= addr && addr < s.Value+s.Size {
			return strings.TrimSuffix(s.Name, ".abi0")
		}
	}
	return ""
}
