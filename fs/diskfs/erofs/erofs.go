// Package erofs reads EROFS, by the kernel's documentation of it
// (Documentation/filesystems/erofs.rst) and the names of its erofs_fs.h.
package erofs

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"syscall"

	"github.com/yolkos/yolk/fs/diskfs"
)

var le = binary.LittleEndian

const (
	superMagic = 0xe0f5e1e2
	superAt    = 1024 // where the superblock is, in bytes
	superSize  = 128
	slotSize   = 32 // of an inode's number
	minBits    = 9  // of blkszbits
	maxBits    = 16
)

// What feature_compat says.
const compatChecksum = 0x1

// What feature_incompat says, of which a reader has to know all. Some bits have two
// meanings, of which another field tells more.
const (
	incompatZeroPadding = 0x1  // compressed data ends where its blocks do
	incompatComprCfgs   = 0x2  // available_compr_algs is there; big physical clusters
	incompatChunked     = 0x4  // files of chunks
	incompatDevices     = 0x8  // extra_devices; a second algorithm in a file
	incompatTailPacking = 0x10 // the end of compressed data next to the inode
	incompatFragments   = 0x20 // parts of files in an inode of their own; clusters that several files have
	incompatPrefixes    = 0x40 // of names of extended attributes

	incompatKnown = incompatZeroPadding | incompatComprCfgs | incompatChunked | incompatDevices | incompatTailPacking | incompatFragments | incompatPrefixes
)

// The names of those that are not supported, as mkfs.erofs -E has them.
var incompatNames = [...]struct {
	bit  uint32
	name string
}{
	{0x80, "48bit"}, {0x100, "metabox"},
}

// FS is a file system. It implements diskfs.Volume.
type FS struct {
	disk     diskfs.Disk
	bits     uint // of blkszbits
	padded   bool // incompatZeroPadding
	headers  bool // every compressed file has a header
	blocks   uint64
	inodes   uint64
	metaAt   uint64 // where the inode of the number 0 would be, in bytes
	root     uint64
	packed   uint64           // the inode with parts of files; 0: none
	built    syscall.Timespec // the time of inodes that have none
	meta     *diskfs.Cache[uint64]
	clusters *diskfs.Cache[clusterKey] // uncompressed
}

// How many bytes are kept.
const (
	metaCache    = 1 << 20
	clusterCache = 4 << 20
)

// Open reads the superblock.
func Open(disk diskfs.Disk) (*FS, error) {
	b, err := disk.Superblock(superAt, superSize, 0, superMagic)
	if err != nil {
		return nil, err
	}
	corrupt := diskfs.Superblock.Corrupt
	unsupported := func(field, what string, args ...any) error {
		return &diskfs.Unsupported{Field: "superblock: " + field, What: fmt.Sprintf(what, args...)}
	}
	incompat := le.Uint32(b[80:])
	f := &FS{
		disk: disk, bits: uint(b[12]), padded: incompat&incompatZeroPadding != 0, headers: incompat&(incompatComprCfgs|incompatTailPacking|incompatFragments) != 0,
		root: uint64(le.Uint16(b[14:])), inodes: le.Uint64(b[16:]), blocks: uint64(le.Uint32(b[36:])),
		built: syscall.Timespec{Sec: int64(le.Uint64(b[24:])), Nsec: nanoseconds(le.Uint32(b[32:]))},
		meta:  diskfs.NewCache[uint64](metaCache), clusters: diskfs.NewCache[clusterKey](clusterCache),
	}
	if f.bits < minBits || f.bits > maxBits {
		return nil, corrupt("blkszbits", uint64(f.bits), "%d to %d", minBits, maxBits)
	}
	if le.Uint32(b[8:])&compatChecksum != 0 {
		if err := f.checkSum(le.Uint32(b[4:])); err != nil {
			return nil, err
		}
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
		return nil, unsupported("feature_incompat", "the feature %s is not supported; make the file system without it (mkfs.erofs -E)", name)
	}
	if n := le.Uint16(b[86:]); n > 0 {
		return nil, unsupported("extra_devices", "%d other devices are not supported; make the file system without --blobdev", n)
	}
	if n := b[90]; n > 0 {
		return nil, unsupported("dirblkbits", "%d: directories of larger blocks are not supported", n)
	}
	if known := uint16(1<<len(algorithms) - 1); incompat&incompatComprCfgs != 0 && le.Uint16(b[84:])&^known != 0 {
		return nil, unsupported("available_compr_algs", "%#x is not supported, bits of %#x are; make it with mkfs.erofs -zlz4hc", le.Uint16(b[84:]), known)
	}
	if incompat&incompatFragments != 0 {
		f.packed = le.Uint64(b[96:])
	}
	metaBlock := uint64(le.Uint32(b[40:]))
	switch all := uint64(disk.Size) >> f.bits; {
	case f.blocks == 0 || f.blocks > all:
		return nil, corrupt("blocks", f.blocks, "1 to %d blocks of %d bytes, as the disk has", all, f.blockSize())
	case metaBlock >= all:
		return nil, corrupt("meta_blkaddr", metaBlock, "below %d, as the disk has", all)
	case f.inodes > 1<<62:
		return nil, corrupt("inos", f.inodes, "at most %d", uint64(1<<62))
	}
	f.metaAt = metaBlock << f.bits
	root, err := f.inode(f.root)
	if err != nil {
		return nil, err
	}
	if root.mode&syscall.S_IFMT != syscall.S_IFDIR {
		return nil, corrupt("root_nid", f.root, "a directory")
	}
	return f, nil
}

// checkSum compares the sum of the superblock's block, as far as it is behind the superblock's
// place, with the one that the superblock has.
func (f *FS) checkSum(want uint32) error {
	const table, field = "superblock", "checksum"
	size := f.blockSize()
	if size > superAt {
		size -= superAt
	}
	b := make([]byte, size)
	if err := f.disk.Read(b, superAt, table, field); err != nil {
		return err
	}
	clear(b[4:8])
	// The kernel's crc32c does not invert the sum at its end.
	if sum := ^crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)); sum != want {
		return diskfs.Table(table).Corrupt(field, uint64(want), "%#x, the sum of %d bytes", sum, size)
	}
	return nil
}

func (f *FS) blockSize() uint64 { return 1 << f.bits }

func (f *FS) Root() diskfs.Ref { return diskfs.Ref(f.root) }
func (f *FS) Magic() uint32    { return superMagic }
func (f *FS) Bytes() int64     { return int64(f.blocks << f.bits) }
func (f *FS) Files() int64     { return int64(f.inodes) }

// nanoseconds bounds those of a time.
func nanoseconds(n uint32) int64 { return int64(min(n, 999_999_999)) }

// readMeta fills p with what is at a place of the disk: inodes and what describes data.
func (f *FS) readMeta(p []byte, at uint64, table, field string) error {
	for len(p) > 0 {
		start := at &^ (f.blockSize() - 1)
		if at >= uint64(f.disk.Size) {
			return diskfs.Table(table).Corrupt(field, at, "below %d, as the disk has", f.disk.Size)
		}
		b, err := f.meta.Get(start, func() ([]byte, error) {
			b := make([]byte, min(f.blockSize(), uint64(f.disk.Size)-start))
			return b, f.disk.Read(b, start, table, field)
		})
		if err != nil {
			return err
		}
		if at-start >= uint64(len(b)) {
			return diskfs.Table(table).Corrupt(field, at, "below %d, as the disk has", f.disk.Size)
		}
		n := copy(p, b[at-start:])
		p, at = p[n:], at+uint64(n)
	}
	return nil
}

var _ diskfs.Volume = (*FS)(nil)
