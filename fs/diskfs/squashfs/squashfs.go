// Package squashfs reads SquashFS 4.0, by the kernel's documentation of it
// (Documentation/filesystems/squashfs.rst) and the names of its squashfs_fs.h.
package squashfs

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"syscall"

	"github.com/yolkos/yolk/fs/diskfs"
)

var le = binary.LittleEndian

const (
	superMagic = 0x73717368
	superSize  = 96
	noFragment = 0xffffffff // of a file that has none
	noTable    = 0xffffffffffffffff
	metaSize   = 8192 // of a block of tables, in bytes, uncompressed
	minBlock   = 4096
	maxBlock   = 1 << 20
)

// FS is a file system. It implements diskfs.Volume.
type FS struct {
	disk       diskfs.Disk
	unpack     decompressor
	blockSize  uint64 // of data, in bytes
	used       uint64 // bytes_used
	inodes     uint32
	fragments  uint32
	root       diskfs.Ref
	inodeTable uint64 // where the tables are, in bytes
	dirTable   uint64
	fragTable  uint64
	ids        []uint32 // of users and groups

	meta *diskfs.Cache[uint64] // of blocks of tables
	data *diskfs.Cache[uint64] // of blocks of files
}

// How many bytes are kept.
const (
	metaCache = 1 << 20
	dataCache = 4 << 20
)

// Open reads the superblock, and the table of users and groups.
func Open(disk diskfs.Disk) (*FS, error) {
	b, err := disk.Superblock(0, superSize, 0, superMagic)
	if err != nil {
		return nil, err
	}
	f := &FS{
		blockSize: uint64(le.Uint32(b[12:])), used: le.Uint64(b[40:]), inodes: le.Uint32(b[4:]), fragments: le.Uint32(b[16:]),
		root: diskfs.Ref(le.Uint64(b[32:])), inodeTable: le.Uint64(b[64:]), dirTable: le.Uint64(b[72:]), fragTable: le.Uint64(b[80:]),
		meta: diskfs.NewCache[uint64](metaCache), data: diskfs.NewCache[uint64](dataCache),
	}
	corrupt := diskfs.Superblock.Corrupt
	major, minor, log := le.Uint16(b[28:]), le.Uint16(b[30:]), uint64(le.Uint16(b[22:]))
	idTable := le.Uint64(b[48:])
	switch {
	case major != 4 || minor != 0:
		return nil, &diskfs.Unsupported{Field: "superblock: s_major, s_minor", What: fmt.Sprintf("version %d.%d is not supported, 4.0 is", major, minor)}
	case f.blockSize < minBlock || f.blockSize > maxBlock || f.blockSize&(f.blockSize-1) != 0:
		return nil, corrupt("block_size", f.blockSize, "a power of two from %d to %d", minBlock, maxBlock)
	case log != uint64(bits.TrailingZeros64(f.blockSize)):
		return nil, corrupt("block_log", log, "the logarithm of block_size, %d", f.blockSize)
	case f.used < superSize || f.used > uint64(disk.Size):
		return nil, corrupt("bytes_used", f.used, "at most %d, as the disk has", disk.Size)
	case f.inodeTable < superSize || f.inodeTable >= f.used:
		return nil, corrupt("inode_table_start", f.inodeTable, "below %d, bytes_used", f.used)
	case f.dirTable < f.inodeTable || f.dirTable >= f.used:
		return nil, corrupt("directory_table_start", f.dirTable, "from %d, inode_table_start, to %d, bytes_used", f.inodeTable, f.used)
	case f.fragments > 0 && f.fragTable != noTable && (f.fragTable < superSize || f.fragTable >= f.used):
		return nil, corrupt("fragment_table_start", f.fragTable, "below %d, bytes_used", f.used)
	case idTable < superSize || idTable >= f.used:
		return nil, corrupt("id_table_start", idTable, "below %d, bytes_used", f.used)
	}
	f.disk = diskfs.Disk{R: disk.R, Size: int64(f.used)}
	if f.unpack, err = decompressorOf(le.Uint16(b[20:])); err != nil {
		return nil, err
	}
	ids, err := f.list(idTable, 0, uint64(le.Uint16(b[26:])), 4, "id table")
	if err != nil {
		return nil, err
	}
	for ; len(ids) > 0; ids = ids[4:] {
		f.ids = append(f.ids, le.Uint32(ids))
	}
	root, err := f.inode(f.root)
	if err != nil {
		return nil, err
	}
	if root.mode&syscall.S_IFMT != syscall.S_IFDIR {
		return nil, corrupt("root_inode", uint64(f.root), "a directory")
	}
	return f, nil
}

func (f *FS) Root() diskfs.Ref { return f.root }
func (f *FS) Magic() uint32    { return superMagic }
func (f *FS) Bytes() int64     { return int64(f.used) }
func (f *FS) Files() int64     { return int64(f.inodes) }

// metaBlock is a block of tables, uncompressed.
type metaBlock struct {
	data []byte
	next uint64 // where the one behind it is
}

// metaAt reads the block of tables at a place of the disk. Table is where the place was found.
func (f *FS) metaAt(at uint64, table string) (metaBlock, error) {
	var head [2]byte
	field := fmt.Sprintf("block at %d", at)
	// What is kept ends with the length that the block has on the disk.
	b, err := f.meta.Get(at, func() ([]byte, error) {
		if err := f.disk.Read(head[:], at, table, field); err != nil {
			return nil, err
		}
		size, packed := uint64(le.Uint16(head[:])&0x7fff), head[1]&0x80 == 0
		if size == 0 || size > metaSize {
			return nil, diskfs.Table(table).Corrupt(field+": length", size, "1 to %d", metaSize)
		}
		b := make([]byte, size, metaSize+2)
		if err := f.disk.Read(b, at+2, table, field); err != nil {
			return nil, err
		}
		if packed {
			var err error
			if b, err = f.unpacked(b, metaSize, metaSize+2, table, field); err != nil {
				return nil, err
			}
		}
		return le.AppendUint16(b, uint16(size)), nil
	})
	if err != nil {
		return metaBlock{}, err
	}
	end := len(b) - 2
	return metaBlock{b[:end], at + 2 + uint64(le.Uint16(b[end:]))}, nil
}

// cursor reads a table from some place on.
type cursor struct {
	f     *FS
	table string
	at    uint64 // of the next block of tables
	rest  []byte // of this one
}

// cursor begins off bytes behind the start of the block of tables at a place.
func (f *FS) cursor(at uint64, off int, table string) (*cursor, error) {
	m, err := f.metaAt(at, table)
	if err != nil {
		return nil, err
	}
	if off > len(m.data) {
		return nil, diskfs.Table(table).Corrupt("offset", uint64(off), "at most %d, the block at %d", len(m.data), at)
	}
	return &cursor{f, table, m.next, m.data[off:]}, nil
}

// read fills p.
func (c *cursor) read(p []byte) error {
	for {
		n := copy(p, c.rest)
		if p, c.rest = p[n:], c.rest[n:]; len(p) == 0 {
			return nil
		}
		m, err := c.f.metaAt(c.at, c.table)
		if err != nil {
			return err
		}
		c.rest, c.at = m.data, m.next
	}
}

// list reads count items of a table from number first on, which is in blocks whose places are listed at
// start.
func (f *FS) list(start, first, count, size uint64, table string) ([]byte, error) {
	out := make([]byte, 0, count*size)
	for at, end := first*size, (first+count)*size; at < end; {
		var place [8]byte
		if err := f.disk.Read(place[:], start+at/metaSize*8, table, "list of blocks"); err != nil {
			return nil, err
		}
		c, err := f.cursor(le.Uint64(place[:]), int(at%metaSize), table)
		if err != nil {
			return nil, err
		}
		n := min(end-at, metaSize-at%metaSize)
		part := out[len(out):][:n]
		if err := c.read(part); err != nil {
			return nil, err
		}
		out, at = out[:len(out)+len(part)], at+n
	}
	return out, nil
}
