package squashfs

import (
	"fmt"
	"io"
	"syscall"

	"github.com/yolkos/yolk/fs/diskfs"
)

// Types of inodes; those from 8 on are the long forms of those from 1 on.
const (
	typeDir = iota + 1
	typeReg
	typeSymlink
	typeBlk
	typeChr
	typeFifo
	typeSock
	typeLong = 7 // more than the short one
)

var modes = [...]uint32{
	typeDir: syscall.S_IFDIR, typeReg: syscall.S_IFREG, typeSymlink: syscall.S_IFLNK, typeBlk: syscall.S_IFBLK,
	typeChr: syscall.S_IFCHR, typeFifo: syscall.S_IFIFO, typeSock: syscall.S_IFSOCK,
}

// inode is an inode of any type, with what its type has.
type inode struct {
	number, mode uint32
	uid, gid     uint32
	mtime        uint32
	nlink        uint32
	size         uint64
	rdev         uint32
	start        uint64 // where its data is, in bytes: on the disk, or in the table of directories
	offset       uint32 // there, or in the fragment
	fragment     uint32
	rest         *cursor // what follows: a list of blocks, the text of a link
}

func (i *inode) table() string { return fmt.Sprintf("inode %d", i.number) }

func (i *inode) corrupt(field string, v uint64, want string, args ...any) error {
	return diskfs.Table(i.table()).Corrupt(field, v, want, args...)
}

// place is where in the table at start a reference leads (SQUASHFS_INODE_BLK).
func place(start, end uint64, ref diskfs.Ref, table string) (uint64, error) {
	at := uint64(ref) >> 16
	if at >= end-start {
		return 0, diskfs.Table(table).Corrupt("reference", uint64(ref), "one below %#x", (end-start)<<16)
	}
	return start + at, nil
}

// inode reads an inode.
func (f *FS) inode(ref diskfs.Ref) (*inode, error) {
	at, err := place(f.inodeTable, f.dirTable, ref, "inode table")
	if err != nil {
		return nil, err
	}
	c, err := f.cursor(at, int(ref&0xffff), "inode table")
	if err != nil {
		return nil, err
	}
	var b [40]byte
	if err := c.read(b[:16]); err != nil {
		return nil, err
	}
	i := &inode{number: le.Uint32(b[12:]), mode: uint32(le.Uint16(b[2:])) & 0o7777, mtime: le.Uint32(b[8:]), fragment: noFragment, rest: c}
	kind := le.Uint16(b[:])
	short := kind
	if kind > typeLong {
		short -= typeLong
	}
	if short < typeDir || short > typeSock {
		return nil, i.corrupt("inode_type", uint64(kind), "1 to 14")
	}
	i.mode |= modes[short]
	for _, id := range []struct {
		to    *uint32
		at    int
		field string
	}{{&i.uid, 4, "uid"}, {&i.gid, 6, "guid"}} {
		n := int(le.Uint16(b[id.at:]))
		if n >= len(f.ids) {
			return nil, i.corrupt(id.field, uint64(n), "below %d, no_ids", len(f.ids))
		}
		*id.to = f.ids[n]
	}
	body := func(n int) ([]byte, error) { return b[:n], c.read(b[:n]) }
	var v []byte
	switch {
	case kind == typeDir:
		v, err = body(16)
		i.start, i.nlink, i.size, i.offset = uint64(le.Uint32(v)), le.Uint32(v[4:]), uint64(le.Uint16(v[8:])), uint32(le.Uint16(v[10:]))
	case kind == typeDir+typeLong:
		v, err = body(24)
		i.nlink, i.size, i.start, i.offset = le.Uint32(v), uint64(le.Uint32(v[4:])), uint64(le.Uint32(v[8:])), uint32(le.Uint16(v[18:]))
	case kind == typeReg:
		v, err = body(16)
		i.start, i.fragment, i.offset, i.size, i.nlink = uint64(le.Uint32(v)), le.Uint32(v[4:]), le.Uint32(v[8:]), uint64(le.Uint32(v[12:])), 1
	case kind == typeReg+typeLong:
		v, err = body(40)
		i.start, i.size, i.nlink, i.fragment, i.offset = le.Uint64(v), le.Uint64(v[8:]), le.Uint32(v[24:]), le.Uint32(v[28:]), le.Uint32(v[32:])
	case short == typeSymlink:
		v, err = body(8)
		i.nlink, i.size = le.Uint32(v), uint64(le.Uint32(v[4:]))
	case short == typeBlk || short == typeChr:
		v, err = body(8)
		i.nlink, i.rdev = le.Uint32(v), le.Uint32(v[4:])
	default:
		v, err = body(4)
		i.nlink = le.Uint32(v)
	}
	if err != nil {
		return nil, err
	}
	if limit := uint64(1) << 62; i.size > limit {
		return nil, i.corrupt("file_size", i.size, "at most %d", limit)
	}
	return i, nil
}

// Stat implements diskfs.Volume.
func (f *FS) Stat(ref diskfs.Ref, st *syscall.Stat_t) error {
	i, err := f.inode(ref)
	if err != nil {
		return err
	}
	t := syscall.Timespec{Sec: int64(i.mtime)}
	*st = syscall.Stat_t{
		Ino: uint64(i.number), Mode: i.mode, Nlink: uint64(i.nlink), Uid: i.uid, Gid: i.gid, Size: int64(i.size), Blksize: int64(f.blockSize),
		Blocks: int64((i.size + 511) / 512), Atim: t, Ctim: t, Mtim: t,
	}
	switch i.mode & syscall.S_IFMT {
	case syscall.S_IFBLK, syscall.S_IFCHR:
		st.Rdev = diskfs.Dev(false, i.rdev)
	}
	return nil
}

// ReadLink implements diskfs.Volume.
func (f *FS) ReadLink(ref diskfs.Ref) (string, error) {
	i, err := f.inode(ref)
	switch {
	case err != nil:
		return "", err
	case i.mode&syscall.S_IFMT != syscall.S_IFLNK:
		return "", syscall.EINVAL
	case i.size == 0 || i.size > diskfs.MaxLink:
		return "", i.corrupt("symlink_size", i.size, "1 to %d", diskfs.MaxLink)
	}
	text := make([]byte, i.size)
	err = i.rest.read(text)
	return string(text), err
}

// Open implements diskfs.Volume.
func (f *FS) Open(ref diskfs.Ref) (io.ReaderAt, error) {
	i, err := f.inode(ref)
	if err != nil {
		return nil, err
	}
	return newReader(f, i)
}

// ReadDir implements diskfs.Volume: a directory is a list of headers, each with the entries
// whose inodes are in the same block of tables. Its size counts 3 bytes for . and .. too.
func (f *FS) ReadDir(ref diskfs.Ref, yield func(string, diskfs.Ref) bool) error {
	const dots, headerSize, entrySize = 3, 12, 8
	i, err := f.inode(ref)
	switch {
	case err != nil:
		return err
	case i.mode&syscall.S_IFMT != syscall.S_IFDIR:
		return syscall.ENOTDIR
	case i.size > diskfs.MaxDirectory:
		return i.corrupt("file_size", i.size, "at most %d, a directory", diskfs.MaxDirectory)
	case i.size <= dots:
		return nil
	}
	table := fmt.Sprintf("directory, inode %d", i.number)
	at, err := place(f.dirTable, f.used, diskfs.Ref(i.start<<16), table)
	if err != nil {
		return err
	}
	c, err := f.cursor(at, int(i.offset), table)
	if err != nil {
		return err
	}
	corrupt := diskfs.Table(table).Corrupt
	var b [256 + entrySize]byte
	for left := i.size - dots; left > 0; {
		if left < headerSize {
			return corrupt("file_size", i.size, "as many bytes as the directory has: %d are too many", left)
		}
		left -= headerSize
		if err := c.read(b[:headerSize]); err != nil {
			return err
		}
		count, block := le.Uint32(b[:]), uint64(le.Uint32(b[4:]))
		if count > 255 {
			return corrupt("count", uint64(count), "at most 255")
		}
		for ; ; count-- {
			if err := c.read(b[:entrySize]); err != nil {
				return err
			}
			offset, size := uint64(le.Uint16(b[:])), uint64(le.Uint16(b[6:]))+1
			switch {
			case size > 256:
				return corrupt("size of a name", size-1, "at most 255")
			case entrySize+size > left:
				return corrupt("file_size", i.size, "more bytes: an entry of %d crosses the end", entrySize+size)
			}
			left -= entrySize + size
			name := b[entrySize:][:size]
			if err := c.read(name); err != nil {
				return err
			}
			if !yield(string(name), diskfs.Ref(block<<16|offset)) {
				return nil
			}
			if count == 0 {
				break
			}
		}
	}
	return nil
}
