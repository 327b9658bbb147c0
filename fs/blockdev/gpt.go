package blockdev

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// Parts of a GUID partition table (UEFI 2.10 §5.3), offsets in bytes.
const (
	gptHeaderSize  = 92
	gptSignature   = "EFI PART"
	gptEntryMin    = 128
	gptMaxEntries  = 1 << 14 // bytes of 128 entries
	gptOffHeader   = 12
	gptOffCRC      = 16
	gptOffMyLBA    = 24
	gptOffEntries  = 72
	gptOffCount    = 80
	gptOffSize     = 84
	gptOffArrayCRC = 88
)

// gpt reads the table at block 1, or the copy in the last block.
func (s source) gpt() ([]Partition, error) {
	list, err := s.gptAt(1)
	if err == nil {
		return s.sound(list)
	}
	last := s.size/s.block - 1
	copied, again := s.gptAt(last)
	if again != nil {
		return nil, fmt.Errorf("GPT: %w; its copy: %w", err, again)
	}
	list, _ = s.sound(copied)
	return list, fmt.Errorf("GPT: %w; its copy is used", err)
}

// gptAt reads the table whose header is in a block.
func (s source) gptAt(lba int64) ([]Partition, error) {
	h, err := s.read(lba*s.block, int(s.block))
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if string(h[:8]) != gptSignature {
		return nil, fmt.Errorf("header: signature %q in block %d", h[:8], lba)
	}
	size := binary.LittleEndian.Uint32(h[gptOffHeader:])
	if size < gptHeaderSize || int64(size) > s.block {
		return nil, fmt.Errorf("header: size %d, want %d to %d", size, gptHeaderSize, s.block)
	}
	want := binary.LittleEndian.Uint32(h[gptOffCRC:])
	clear(h[gptOffCRC : gptOffCRC+4])
	if got := crc32.ChecksumIEEE(h[:size]); got != want {
		return nil, fmt.Errorf("header: CRC %#x, want %#x", got, want)
	}
	if at := binary.LittleEndian.Uint64(h[gptOffMyLBA:]); at != uint64(lba) {
		return nil, fmt.Errorf("header: says that it is in block %d, is in %d", at, lba)
	}
	count, each := binary.LittleEndian.Uint32(h[gptOffCount:]), binary.LittleEndian.Uint32(h[gptOffSize:])
	at := binary.LittleEndian.Uint64(h[gptOffEntries:])
	if each < gptEntryMin || each&(each-1) != 0 || uint64(count)*uint64(each) > gptMaxEntries || at > uint64(math.MaxInt64/s.block) {
		return nil, fmt.Errorf("header: %d entries of %d bytes in block %d, want at most %d bytes", count, each, at, gptMaxEntries)
	}
	array, err := s.read(int64(at)*s.block, int(count*each))
	if err != nil {
		return nil, fmt.Errorf("entries: %w", err)
	}
	if got, want := crc32.ChecksumIEEE(array), binary.LittleEndian.Uint32(h[gptOffArrayCRC:]); got != want {
		return nil, fmt.Errorf("entries: CRC %#x, want %#x", got, want)
	}
	return s.entries(array, int(each)), nil
}

// entries are those that are used. Blocks that no disk has are for sound to see.
func (s source) entries(array []byte, each int) (list []Partition) {
	for i := 0; len(array) >= each; i, array = i+1, array[each:] {
		if bytes.Equal(array[:16], make([]byte, 16)) {
			continue // type 0: not used
		}
		first, last := binary.LittleEndian.Uint64(array[32:]), binary.LittleEndian.Uint64(array[40:])
		p := Partition{Number: i + 1, Start: -1}
		if last >= first && last < uint64(math.MaxInt64/s.block) {
			p.Start, p.Size = int64(first)*s.block, int64(last-first+1)*s.block
		}
		list = append(list, p)
	}
	return list
}
