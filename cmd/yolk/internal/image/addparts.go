package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/yolkos/yolk/arch/amd64/embedded"
)

const (
	page        = 4096
	progSize    = 56 // of a program header
	sectionSize = 64 // of a section header
	// partsSection is the name of the section of the parts, for those who list or
	// copy sections.
	partsSection = ".yolk"
	// maxEnd is where parts have to end in memory: the RAM of a Q35 may end at 2 GiB,
	// to go on above 4 GiB, and the heap begins behind the parts.
	maxEnd = 2<<30 - 64<<20
)

// Part is a part that an image carries besides its program, see package embedded.
type Part struct {
	Name  string
	Size  uint64
	Write func(w io.Writer) error // writes Size bytes
}

// AddParts writes the image in, with parts, to out. Segments and sections of the program
// stay where they are, in the file and in memory; the table of sections moves to the
// end of the file, where there is room for one more.
func AddParts(out *os.File, in io.ReaderAt, size int64, parts []Part) error {
	var h elf.Header64
	if err := binary.Read(io.NewSectionReader(in, 0, size), binary.LittleEndian, &h); err != nil {
		return fmt.Errorf("ELF header: %w", err)
	}
	if string(h.Ident[:4]) != elf.ELFMAG || h.Phentsize != progSize || h.Shentsize != sectionSize {
		return fmt.Errorf("ELF header: want program headers of %d bytes and section headers of %d, got %d and %d", progSize, sectionSize, h.Phentsize, h.Shentsize)
	}
	progs := make([]elf.Prog64, h.Phnum)
	sections := make([]elf.Section64, h.Shnum)
	if err := errors.Join(
		binary.Read(io.NewSectionReader(in, int64(h.Phoff), size), binary.LittleEndian, progs),
		binary.Read(io.NewSectionReader(in, int64(h.Shoff), size), binary.LittleEndian, sections),
	); err != nil {
		return fmt.Errorf("ELF headers: %w", err)
	}
	if int(h.Shstrndx) >= len(sections) {
		return fmt.Errorf("ELF header: e_shstrndx is %d, and there are %d sections", h.Shstrndx, len(sections))
	}
	addr := uint64(0)
	for _, p := range progs {
		if p.Type == embedded.Segment {
			return errors.New("the image has such parts already: build it anew")
		}
		if elf.ProgType(p.Type) == elf.PT_LOAD {
			addr = max(addr, p.Vaddr+p.Memsz)
		}
	}
	addr = roundUp(addr, page)
	var plain []embedded.Part
	for _, p := range parts {
		plain = append(plain, embedded.Part{Name: p.Name, Size: p.Size})
	}
	head, offsets, total, err := embedded.Layout(plain)
	if err != nil {
		return err
	}
	if total > maxEnd || addr+total > maxEnd {
		return fmt.Errorf("%d MiB to carry: with the program there is room for %d MiB, as all of it lies below 2 GiB in memory; share the rest at run time (yolk run --mount)", total>>20, (maxEnd-min(addr, maxEnd))>>20)
	}
	off := roundUp(uint64(size), page)

	names, err := addName(in, &sections[h.Shstrndx])
	if err != nil {
		return err
	}
	load := elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R), Off: off, Vaddr: addr, Paddr: addr, Filesz: total, Memsz: total, Align: page}
	mark := load
	mark.Type = embedded.Segment
	progs = addProgs(progs, load, mark)
	sections[h.Shstrndx].Off, sections[h.Shstrndx].Size = off+total, uint64(len(names))
	sections = append(sections, elf.Section64{
		Name: uint32(len(names) - len(partsSection) - 1), Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC),
		Addr: addr, Off: off, Size: total, Addralign: page,
	})
	room := uint64(page) // of the program headers
	for _, s := range sections {
		if t := elf.SectionType(s.Type); t != elf.SHT_NULL && t != elf.SHT_NOBITS {
			room = min(room, s.Off)
		}
	}
	if end := h.Phoff + progSize*uint64(len(progs)); end > room {
		return fmt.Errorf("no room for two more program headers before the first section, at %#x of the file", room)
	}

	// The first page without the tables, then the new ones.
	first := make([]byte, min(size, page))
	if _, err := in.ReadAt(first, 0); err != nil {
		return err
	}
	clear(first[h.Phoff:room])
	if h.Shoff < uint64(len(first)) {
		clear(first[h.Shoff:min(room, uint64(len(first)))])
	}
	h.Phnum, h.Shnum = uint16(len(progs)), uint16(len(sections))
	h.Shoff = roundUp(off+total+uint64(len(names)), 8)
	copy(first, encode(h))
	copy(first[h.Phoff:], encode(progs))

	w := &counter{w: out}
	rest := io.NewSectionReader(in, int64(len(first)), size-int64(len(first)))
	if _, err := io.Copy(w, io.MultiReader(bytes.NewReader(first), rest)); err != nil {
		return err
	}
	if err := errors.Join(w.pad(off), w.write(head)); err != nil {
		return err
	}
	for i, p := range parts {
		if err := w.pad(off + offsets[i]); err != nil {
			return err
		}
		if err := p.Write(w); err != nil {
			return err
		}
		if got := w.n - off - offsets[i]; got != p.Size {
			return fmt.Errorf("part %s: %d bytes were written, and it was to have %d", p.Name, got, p.Size)
		}
	}
	return errors.Join(w.write(names), w.pad(h.Shoff), w.write(encode(sections)))
}

// addProgs puts load behind the last segment that is loaded, as they go by their
// addresses, and mark at the end.
func addProgs(progs []elf.Prog64, load, mark elf.Prog64) []elf.Prog64 {
	var list []elf.Prog64
	for i, p := range progs {
		if elf.ProgType(p.Type) == elf.PT_PHDR {
			p.Filesz += 2 * progSize
			p.Memsz += 2 * progSize
		}
		list = append(list, p)
		last := elf.ProgType(p.Type) == elf.PT_LOAD
		for _, q := range progs[i+1:] {
			last = last && elf.ProgType(q.Type) != elf.PT_LOAD
		}
		if last {
			list = append(list, load)
		}
	}
	return append(list, mark)
}

// addName returns the table of sections' names with one more at its end.
func addName(in io.ReaderAt, s *elf.Section64) ([]byte, error) {
	if s.Size > 1<<20 {
		return nil, fmt.Errorf("ELF file: %d bytes of sections' names", s.Size)
	}
	names := make([]byte, s.Size)
	if _, err := in.ReadAt(names, int64(s.Off)); err != nil {
		return nil, fmt.Errorf("ELF file: names of sections: %w", err)
	}
	return append(names, partsSection+"\x00"...), nil
}

// FindPart returns a part that an image carries; nil: it has no such part.
func FindPart(r io.ReaderAt, name string) (*io.SectionReader, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return nil, err
	}
	for _, p := range f.Progs {
		if uint32(p.Type) == embedded.Segment {
			return embedded.Section(p, p.Filesz, name)
		}
	}
	return nil, nil
}

func encode(v any) []byte {
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, v) // to memory, of a fixed size: it does not fail
	return b.Bytes()
}

func roundUp(n, to uint64) uint64 { return (n + to - 1) / to * to }

// counter writes and counts.
type counter struct {
	w io.Writer
	n uint64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += uint64(n)
	return n, err
}

func (c *counter) write(p []byte) error {
	_, err := c.Write(p)
	return err
}

// pad writes zeros up to an offset.
func (c *counter) pad(to uint64) error {
	return c.write(make([]byte, to-c.n))
}
