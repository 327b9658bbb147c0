package ld

import (
	"debug/elf"
	"internal/buildcfg"
)

// The PVH boot protocol (Xen, docs/misc/pvh) finds the 32-bit entry point in an
// ELF note of the owner "Xen". QEMU and Cloud Hypervisor follow it.
const (
	pvhNoteSection = ".note.Xen"
	pvhNoteOwner   = "Xen\x00"
	pvhNoteType    = 18 // XEN_ELFNOTE_PHYS32_ENTRY
	pvhNoteDesc    = 4  // bytes: the physical address of the entry
)

// Multiboot 2 loaders, such as GRUB, look for a header in the first 32 KiB of the
// file, at a multiple of eight bytes (Multiboot2 Specification 2.0, 3.1). It lies in
// a note of its own, and has them start the program at the ELF file's entry point.
const (
	mbNoteSection = ".note.Multiboot2"
	mbNoteOwner   = "Yolk\x00"
	mbNoteType    = 1
	mbAlign       = 8
)

// mbHeader is the header, by words: magic, architecture (i386), length, checksum, and
// the tags: the memory map is wanted, modules in whole pages, the end.
var mbHeader = [...]uint32{
	0xe85250d6, 0, 48, -(0xe85250d6 + 48) & 0xffffffff,
	1, 12, 6, 0,
	6, 8,
	0, 8,
}

func pvhWanted(ctxt *Link) bool {
	return buildcfg.GOOS == "tamago" && ctxt.LinkMode != LinkExternal
}

// pvhNoteLayout reserves the notes below resoff, each in a segment of its own, and
// returns how many bytes they take.
func pvhNoteLayout(ctxt *Link, startva, resoff uint64) int64 {
	if !pvhWanted(ctxt) {
		return 0
	}
	sh := elfshname(pvhNoteSection)
	n := elfnote(sh, startva, resoff, len(pvhNoteOwner)+pvhNoteDesc)
	mb := elfshname(mbNoteSection)
	n += elfnote(mb, startva, resoff-uint64(n), len(mbNoteOwner)+3+4*len(mbHeader)+mbAlign/2)
	for _, sh := range []*ElfShdr{sh, mb} {
		ph := newElfPhdr()
		ph.Type = elf.PT_NOTE
		ph.Flags = elf.PF_R
		phsh(ph, sh)
	}
	return int64(n)
}

// pvhNoteWrite writes the notes and returns their size in bytes.
func pvhNoteWrite(ctxt *Link) int64 {
	if !pvhWanted(ctxt) {
		return 0
	}
	sh := elfwritenotehdr(ctxt.Out, pvhNoteSection, uint32(len(pvhNoteOwner)), pvhNoteDesc, pvhNoteType)
	ctxt.Out.WriteString(pvhNoteOwner)
	ctxt.Out.Write32(uint32(Entryvalue(ctxt)))
	return int64(sh.Size) + mbNoteWrite(ctxt)
}

// mbNoteWrite writes the note of the Multiboot 2 header, which is moved to where it has to lie.
func mbNoteWrite(ctxt *Link) int64 {
	sh := elfwritenotehdr(ctxt.Out, mbNoteSection, uint32(len(mbNoteOwner)), uint32(4*len(mbHeader)+mbAlign/2), mbNoteType)
	ctxt.Out.WriteString(mbNoteOwner + "\x00\x00\x00")
	first := ctxt.Out.Offset()%mbAlign != 0
	if first {
		ctxt.Out.Write32(0)
	}
	for _, w := range mbHeader {
		ctxt.Out.Write32(w)
	}
	if !first {
		ctxt.Out.Write32(0)
	}
	return int64(sh.Size)
}
