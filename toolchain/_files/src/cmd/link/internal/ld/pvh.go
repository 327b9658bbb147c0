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

func pvhWanted(ctxt *Link) bool {
	return buildcfg.GOOS == "tamago" && ctxt.LinkMode != LinkExternal
}

// pvhNoteLayout reserves the note below resoff, in a segment of its own, and
// returns how many bytes it takes.
func pvhNoteLayout(ctxt *Link, startva, resoff uint64) int64 {
	if !pvhWanted(ctxt) {
		return 0
	}
	sh := elfshname(pvhNoteSection)
	n := elfnote(sh, startva, resoff, len(pvhNoteOwner)+pvhNoteDesc)
	ph := newElfPhdr()
	ph.Type = elf.PT_NOTE
	ph.Flags = elf.PF_R
	phsh(ph, sh)
	return int64(n)
}

// pvhNoteWrite writes the note and returns its size in bytes.
func pvhNoteWrite(ctxt *Link) int64 {
	if !pvhWanted(ctxt) {
		return 0
	}
	sh := elfwritenotehdr(ctxt.Out, pvhNoteSection, uint32(len(pvhNoteOwner)), pvhNoteDesc, pvhNoteType)
	ctxt.Out.WriteString(pvhNoteOwner)
	ctxt.Out.Write32(uint32(Entryvalue(ctxt)))
	return int64(sh.Size)
}
