// Package ext4 reads file systems of ext2, ext3 and ext4, by the kernel's documentation
// of them (Documentation/filesystems/ext4). Checksums are not verified.
package ext4

import (
	"encoding/binary"
	"fmt"
	"syscall"

	"github.com/yolkos/yolk/fs/diskfs"
)

var le = binary.LittleEndian

const (
	superMagic = 0xef53
	superAt    = 1024 // where the superblock is, in bytes
	superSize  = 1024
	rootInode  = 2
)

// What s_feature_incompat says, of which a reader has to know all.
const (
	incompatFiletype = 0x2
	incompatRecover  = 0x4 // the journal has what is not in place yet
	incompatExtents  = 0x40
	incompat64bit    = 0x80
	incompatMMP      = 0x100
	incompatFlexBG   = 0x200
	incompatEAInode  = 0x400
	incompatCsumSeed = 0x2000
	incompatLargeDir = 0x4000

	incompatKnown = incompatFiletype | incompatRecover | incompatExtents | incompat64bit | incompatMMP | incompatFlexBG |
		incompatEAInode | incompatCsumSeed | incompatLargeDir
)

// The names of those that are not supported.
var incompatNames = [...]struct {
	bit  uint32
	name string
}{
	{0x1, "compression"}, {0x8, "journal_dev"}, {0x10, "meta_bg"}, {0x1000, "dirdata"}, {0x8000, "inline_data"}, {0x10000, "encrypt"}, {0x20000, "casefold"},
}

const roCompatHugeFile = 0x8 // i_blocks has 48 bits

// FS is a file system. It implements diskfs.Volume.
type FS struct {
	disk           diskfs.Disk
	blockSize      uint64 // in bytes
	blocks         uint64
	inodes         uint32
	inodeSize      uint64
	inodesPerGroup uint32
	descSize       uint64
	descAt         uint64 // where the group descriptors are, in bytes
	huge           bool
	cache          *diskfs.Cache[uint64] // of blocks with pointers to others, and group descriptors and inodes
}

// cacheSize is how many bytes of tables are kept.
const cacheSize = 1 << 20

// Open reads the superblock. Noload has it go on where the journal is to be replayed, as the
// mount option of this name does: what was changed last may look wrong then.
func Open(disk diskfs.Disk, noload bool) (*FS, error) {
	b, err := disk.Superblock(superAt, superSize, 56, superMagic)
	if err != nil {
		return nil, err
	}
	corrupt := diskfs.Superblock.Corrupt
	revision, incompat := le.Uint32(b[76:]), le.Uint32(b[96:])
	if revision == 0 {
		incompat = 0
	}
	for bit := uint32(1); bit != 0; bit <<= 1 {
		if incompat&bit == 0 || incompatKnown&bit != 0 {
			continue
		}
		name := fmt.Sprintf("bit %#x", bit)
		for _, n := range incompatNames {
			if n.bit == bit {
				name = n.name
			}
		}
		return nil, &diskfs.Unsupported{Field: "superblock: s_feature_incompat", What: fmt.Sprintf("the feature %s is not supported; make the file system without it (mkfs.ext4 -O ^NAME)", name)}
	}
	if incompat&incompatRecover != 0 && !noload {
		return nil, &diskfs.Unsupported{Field: "superblock: s_feature_incompat", What: "the journal has changes that are not in place yet (needs_recovery); run e2fsck on it, or mount it with the option noload"}
	}
	f := &FS{
		disk: disk, inodes: le.Uint32(b[0:]), blocks: uint64(le.Uint32(b[4:])), inodesPerGroup: le.Uint32(b[40:]),
		inodeSize: 128, descSize: 32, huge: le.Uint32(b[100:])&roCompatHugeFile != 0 && revision > 0, cache: diskfs.NewCache[uint64](cacheSize),
	}
	logSize := le.Uint32(b[24:])
	if logSize > 6 {
		return nil, corrupt("s_log_block_size", uint64(logSize), "at most 6")
	}
	f.blockSize = 1024 << logSize
	if incompat&incompat64bit != 0 {
		f.blocks |= uint64(le.Uint32(b[0x150:])) << 32
		f.descSize = uint64(le.Uint16(b[254:]))
		if f.descSize < 64 || f.descSize > 1024 || f.descSize&(f.descSize-1) != 0 {
			return nil, corrupt("s_desc_size", f.descSize, "a power of two from 64 to 1024")
		}
	}
	if revision > 0 {
		f.inodeSize = uint64(le.Uint16(b[88:]))
	}
	first, perGroup := uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[32:]))
	switch {
	case f.inodeSize < 128 || f.inodeSize > f.blockSize || f.inodeSize&(f.inodeSize-1) != 0:
		return nil, corrupt("s_inode_size", f.inodeSize, "a power of two from 128 to %d, a block", f.blockSize)
	case f.blocks == 0 || f.blocks > uint64(disk.Size)/f.blockSize:
		return nil, corrupt("s_blocks_count", f.blocks, "1 to %d blocks of %d bytes, as the disk has", uint64(disk.Size)/f.blockSize, f.blockSize)
	case first >= f.blocks || first > 1:
		return nil, corrupt("s_first_data_block", first, "0 or 1, and below s_blocks_count, %d", f.blocks)
	case perGroup == 0:
		return nil, corrupt("s_blocks_per_group", perGroup, "more than 0")
	case f.inodesPerGroup == 0 || uint64(f.inodesPerGroup) > f.blockSize*8:
		return nil, corrupt("s_inodes_per_group", uint64(f.inodesPerGroup), "1 to %d", f.blockSize*8)
	}
	groups := (f.blocks - first + perGroup - 1) / perGroup
	if f.inodes < rootInode || uint64(f.inodes) > groups*uint64(f.inodesPerGroup) {
		return nil, corrupt("s_inodes_count", uint64(f.inodes), "at most %d: %d groups with %d each", groups*uint64(f.inodesPerGroup), groups, f.inodesPerGroup)
	}
	f.descAt = (superAt/f.blockSize + 1) * f.blockSize
	root, err := f.inode(rootInode)
	if err != nil {
		return nil, err
	}
	if root.mode()&syscall.S_IFMT != syscall.S_IFDIR {
		return nil, root.corrupt("i_mode", uint64(root.mode()), "that of a directory, the root")
	}
	return f, nil
}

func (f *FS) Root() diskfs.Ref { return rootInode }
func (f *FS) Magic() uint32    { return superMagic }
func (f *FS) Bytes() int64     { return int64(f.blocks * f.blockSize) }
func (f *FS) Files() int64     { return int64(f.inodes) }

// block returns a block of pointers or descriptors, which is kept.
func (f *FS) block(n uint64, table, field string) ([]byte, error) {
	return f.cache.Get(n, func() ([]byte, error) {
		b := make([]byte, f.blockSize)
		return b, f.disk.Read(b, n*f.blockSize, table, field)
	})
}

// inBlock returns size bytes at a place of the disk, which do not cross the end of a block.
func (f *FS) inBlock(at, size uint64, table, field string) ([]byte, error) {
	b, err := f.block(at/f.blockSize, table, field)
	if err != nil {
		return nil, err
	}
	return b[at%f.blockSize:][:size], nil
}

// inode reads an inode.
func (f *FS) inode(n uint32) (*inode, error) {
	i := &inode{f: f, n: n}
	if n == 0 || n > f.inodes {
		return nil, i.corrupt("number", uint64(n), "1 to %d, s_inodes_count", f.inodes)
	}
	group, index := uint64(n-1)/uint64(f.inodesPerGroup), uint64(n-1)%uint64(f.inodesPerGroup)
	table := fmt.Sprintf("group descriptor %d", group)
	d, err := f.inBlock(f.descAt+group*f.descSize, f.descSize, table, "place")
	if err != nil {
		return nil, err
	}
	at := uint64(le.Uint32(d[8:]))
	if f.descSize >= 64 {
		at |= uint64(le.Uint32(d[0x28:])) << 32
	}
	if at == 0 || at >= f.blocks {
		return nil, diskfs.Table(table).Corrupt("bg_inode_table", at, "1 to %d, a block", f.blocks-1)
	}
	i.b, err = f.inBlock(at*f.blockSize+index*f.inodeSize, f.inodeSize, i.table(), "place")
	return i, err
}
