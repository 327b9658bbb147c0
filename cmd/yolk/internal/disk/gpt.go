package disk

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"io"
	"unicode/utf16"
)

// sector is the size of a block, in bytes, of all disks that firmware boots.
const sector = 512

// Parts of a GUID partition table (UEFI 2.10 §5.3).
const (
	gptEntries    = 128
	gptEntrySize  = 128
	gptHeaderSize = 92
	gptBlocks     = gptEntries * gptEntrySize / sector // of the entries
	gptRevision   = 0x00010000

	mbrTable      = 446
	mbrProtective = 0xee
)

// guid is a GUID as it is on a disk: its first three fields little-endian.
type guid [16]byte

// Types of partitions.
var (
	biosBoot  = guid{0x48, 0x61, 0x68, 0x21, 0x49, 0x64, 0x6f, 0x6e, 0x74, 0x4e, 0x65, 0x65, 0x64, 0x45, 0x46, 0x49} // 21686148-6449-6e6f-744e-656564454649
	efiSystem = guid{0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b} // c12a7328-f81f-11d2-ba4b-00a0c93ec93b
	linuxData = guid{0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47, 0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4} // 0fc63daf-8483-4772-8e79-3d69d8477de4
)

// newGUID derives a GUID from what an image has in it: the same image has the same ones.
// It is of version 8, variant 10 (RFC 9562, 5.8).
func newGUID(id [sha256.Size]byte, name string) (g guid) {
	h := sha256.Sum256(append(id[:], name...))
	copy(g[:], h[:])
	g[7] = g[7]&0x0f | 0x80
	g[8] = g[8]&0x3f | 0x80
	return g
}

// partition is an entry of the table; start and size are in bytes.
type partition struct {
	kind, id    guid
	start, size int64
	name        string
}

// writeGPT writes the table of a disk of size bytes, its copy at the end, and the
// protective MBR with the boot code of a BIOS.
func writeGPT(w io.WriterAt, size int64, id guid, code []byte, list []partition) error {
	last := size/sector - 1
	mbr := make([]byte, sector)
	copy(mbr[:mbrTable], code)
	e := mbr[mbrTable:]
	// Cylinders, heads and sectors as UEFI has them; the boot code looks at none.
	copy(e, []byte{0, 0x00, 0x02, 0x00, mbrProtective, 0xff, 0xff, 0xff})
	binary.LittleEndian.PutUint32(e[8:], 1)
	binary.LittleEndian.PutUint32(e[12:], uint32(min(last, 0xffffffff)))
	mbr[510], mbr[511] = 0x55, 0xaa

	entries := make([]byte, gptEntries*gptEntrySize)
	for i, p := range list {
		e := entries[i*gptEntrySize:][:gptEntrySize]
		copy(e, p.kind[:])
		copy(e[16:], p.id[:])
		binary.LittleEndian.PutUint64(e[32:], uint64(p.start/sector))
		binary.LittleEndian.PutUint64(e[40:], uint64((p.start+p.size)/sector-1))
		for j, c := range utf16.Encode([]rune(p.name)) {
			binary.LittleEndian.PutUint16(e[56+2*j:], c)
		}
	}
	header := func(at, other, array int64) []byte {
		h := make([]byte, sector)
		copy(h, "EFI PART")
		binary.LittleEndian.PutUint32(h[8:], gptRevision)
		binary.LittleEndian.PutUint32(h[12:], gptHeaderSize)
		binary.LittleEndian.PutUint64(h[24:], uint64(at))
		binary.LittleEndian.PutUint64(h[32:], uint64(other))
		binary.LittleEndian.PutUint64(h[40:], 2+gptBlocks)              // first and
		binary.LittleEndian.PutUint64(h[48:], uint64(last-gptBlocks-1)) // last usable block
		copy(h[56:], id[:])
		binary.LittleEndian.PutUint64(h[72:], uint64(array))
		binary.LittleEndian.PutUint32(h[80:], gptEntries)
		binary.LittleEndian.PutUint32(h[84:], gptEntrySize)
		binary.LittleEndian.PutUint32(h[88:], crc32.ChecksumIEEE(entries))
		binary.LittleEndian.PutUint32(h[16:], crc32.ChecksumIEEE(h[:gptHeaderSize]))
		return h
	}
	for _, p := range []struct {
		at   int64 // block
		data []byte
	}{{0, mbr}, {1, header(1, last, 2)}, {2, entries}, {last - gptBlocks, entries}, {last, header(last, 1, last-gptBlocks)}} {
		if _, err := w.WriteAt(p.data, p.at*sector); err != nil {
			return err
		}
	}
	return nil
}
