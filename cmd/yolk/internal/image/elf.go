package image

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// IsELF reports whether a file begins as ELF files do.
func IsELF(file string) bool {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() {
		return false // opening some others waits
	}
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	magic := make([]byte, len(elf.ELFMAG))
	_, err = io.ReadFull(f, magic)
	return err == nil && string(magic) == elf.ELFMAG
}

// Check reports why an ELF file is no image that a guest of this project could
// be booted from: yolk build and yolk test -c make such.
func Check(r io.ReaderAt) error {
	info, err := buildinfo.Read(r)
	if err != nil {
		return errors.New("not built by Go")
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if system := settings["GOOS"]; system != "tamago" {
		return fmt.Errorf("a Go program for %s/%s", system, settings["GOARCH"])
	}
	kernel := info.Main.Path == modulePath
	for _, d := range info.Deps {
		kernel = kernel || d.Path == modulePath
	}
	f, err := elf.NewFile(r)
	if err != nil {
		return fmt.Errorf("damaged: %w", err)
	}
	if !kernel || !hasPVH(f) {
		return errors.New("without Yolk's kernel in it")
	}
	return nil
}

// HasNetwork reports whether an image has what it takes to use a network: the TCP/IP
// stack, which is in programs that use package net. The functions of an image tell:
// the go command names no modules in tests.
func HasNetwork(r io.ReaderAt) bool {
	f, err := elf.NewFile(r)
	if err != nil {
		return false
	}
	s := f.Section(".gopclntab")
	if s == nil {
		return false
	}
	names, err := s.Data()
	return err == nil && bytes.Contains(names, []byte("\x00"+networkPackage+"."))
}

// pvhNote is the type of the note with the 32-bit entry point by which QEMU
// boots an ELF file, of the owner "Xen" (XEN_ELFNOTE_PHYS32_ENTRY).
const pvhNote = 18

func hasPVH(f *elf.File) bool {
	for _, p := range f.Progs {
		if p.Type != elf.PT_NOTE || p.Filesz > 1<<16 {
			continue
		}
		data, err := io.ReadAll(p.Open())
		for err == nil && len(data) >= 12 {
			name, desc, kind := noteField(data, 0), noteField(data, 1), noteField(data, 2)
			size := 12 + (uint64(name)+3)&^3 + (uint64(desc)+3)&^3
			if uint64(len(data)) < size {
				break
			}
			if kind == pvhNote && name == 4 && string(data[12:16]) == "Xen\x00" {
				return true
			}
			data = data[size:]
		}
	}
	return false
}

func noteField(note []byte, i int) uint32 { return binary.LittleEndian.Uint32(note[4*i:]) }
