package ext4

import (
	"fmt"
	"io"
	"syscall"

	"github.com/yolkos/yolk/fs/diskfs"
)

// inode is an inode as it is on the disk.
type inode struct {
	f *FS
	n uint32
	b []byte
}

// i_flags.
const (
	flagEncrypt = 0x800
	flagHuge    = 0x40000 // i_blocks counts blocks, not 512 bytes
	flagExtents = 0x80000
	flagInline  = 0x10000000
)

func (i *inode) table() string { return fmt.Sprintf("inode %d", i.n) }

func (i *inode) corrupt(field string, v uint64, want string, args ...any) error {
	return diskfs.Table(i.table()).Corrupt(field, v, want, args...)
}

func (i *inode) mode() uint32   { return uint32(le.Uint16(i.b)) }
func (i *inode) flags() uint32  { return le.Uint32(i.b[32:]) }
func (i *inode) iblock() []byte { return i.b[40:100] }

// size is i_size.
func (i *inode) size() (uint64, error) {
	n := uint64(le.Uint32(i.b[4:]))
	switch i.mode() & syscall.S_IFMT {
	case syscall.S_IFREG, syscall.S_IFDIR:
		n |= uint64(le.Uint32(i.b[108:])) << 32
	}
	if limit := i.f.blockSize << 32; n > limit {
		return 0, i.corrupt("i_size", n, "at most %d", limit)
	}
	return n, nil
}

// time is a time stamp, with what of it is at extra if the inode is as long.
func (i *inode) time(at, extra int) syscall.Timespec {
	t := syscall.Timespec{Sec: int64(int32(le.Uint32(i.b[at:])))}
	if len(i.b) > 128+4 && 128+int(le.Uint16(i.b[128:])) >= extra+4 && len(i.b) >= extra+4 {
		x := le.Uint32(i.b[extra:])
		t.Sec += int64(x&3) << 32
		t.Nsec = min(int64(x>>2), 999_999_999)
	}
	return t
}

// Stat implements diskfs.Volume.
func (f *FS) Stat(ref diskfs.Ref, st *syscall.Stat_t) error {
	i, err := f.inode(uint32(ref))
	if err != nil {
		return err
	}
	size, err := i.size()
	if err != nil {
		return err
	}
	b := i.b
	*st = syscall.Stat_t{
		Ino: uint64(i.n), Mode: i.mode(), Nlink: uint64(le.Uint16(b[26:])), Size: int64(size), Blksize: int64(f.blockSize),
		Uid:  uint32(le.Uint16(b[2:])) | uint32(le.Uint16(b[120:]))<<16,
		Gid:  uint32(le.Uint16(b[24:])) | uint32(le.Uint16(b[122:]))<<16,
		Atim: i.time(8, 140), Ctim: i.time(12, 132), Mtim: i.time(16, 136),
		Blocks: int64(le.Uint32(b[28:])),
	}
	if f.huge {
		st.Blocks |= int64(le.Uint16(b[116:])) << 32
		if i.flags()&flagHuge != 0 {
			st.Blocks *= int64(f.blockSize / 512)
		}
	}
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFREG, syscall.S_IFDIR, syscall.S_IFLNK, syscall.S_IFIFO, syscall.S_IFSOCK:
	case syscall.S_IFCHR, syscall.S_IFBLK:
		if old := le.Uint32(i.iblock()); old != 0 {
			st.Rdev = diskfs.Dev(true, old)
		} else {
			st.Rdev = diskfs.Dev(false, le.Uint32(i.iblock()[4:]))
		}
	default:
		return i.corrupt("i_mode", uint64(st.Mode), "the type of a file")
	}
	return nil
}

// content returns the inode of a file whose bytes can be read.
func (f *FS) content(ref diskfs.Ref) (*reader, error) {
	i, err := f.inode(uint32(ref))
	if err != nil {
		return nil, err
	}
	size, err := i.size()
	if err != nil {
		return nil, err
	}
	if i.flags()&(flagEncrypt|flagInline) != 0 {
		return nil, fmt.Errorf("inode %d: i_flags: encrypted and inline data are not supported: %w", i.n, syscall.EOPNOTSUPP)
	}
	return &reader{inode: i, bytes: size}, nil
}

// Open implements diskfs.Volume.
func (f *FS) Open(ref diskfs.Ref) (io.ReaderAt, error) { return f.content(ref) }

// ReadLink implements diskfs.Volume.
func (f *FS) ReadLink(ref diskfs.Ref) (string, error) {
	r, err := f.content(ref)
	switch {
	case err != nil:
		return "", err
	case r.mode()&syscall.S_IFMT != syscall.S_IFLNK:
		return "", syscall.EINVAL
	case r.bytes == 0 || r.bytes > diskfs.MaxLink:
		return "", r.corrupt("i_size", r.bytes, "1 to %d, a symbolic link", diskfs.MaxLink)
	case r.bytes < 60 && r.flags()&flagExtents == 0:
		return string(r.iblock()[:r.bytes]), nil
	}
	text := make([]byte, r.bytes)
	_, err = r.ReadAt(text, 0)
	return string(text), err
}

// ReadDir implements diskfs.Volume: a directory is a list of entries in blocks, none of
// which crosses the end of one. Those with the inode 0 are free, or hide a tree of hashes.
func (f *FS) ReadDir(ref diskfs.Ref, yield func(string, diskfs.Ref) bool) error {
	r, err := f.content(ref)
	switch {
	case err != nil:
		return err
	case r.mode()&syscall.S_IFMT != syscall.S_IFDIR:
		return syscall.ENOTDIR
	case r.bytes%f.blockSize != 0 || r.bytes > diskfs.MaxDirectory:
		return r.corrupt("i_size", r.bytes, "whole blocks of %d bytes, at most %d, a directory", f.blockSize, diskfs.MaxDirectory)
	}
	b := make([]byte, f.blockSize)
	for start := uint64(0); start < r.bytes; start += f.blockSize {
		if _, err := r.ReadAt(b, int64(start)); err != nil {
			return err
		}
		for at := uint64(0); at < f.blockSize; {
			e := b[at:]
			corrupt := func(field string, v uint64, want string, args ...any) error {
				return diskfs.Table(fmt.Sprintf("directory, inode %d: entry at %d", r.n, start+at)).Corrupt(field, v, want, args...)
			}
			if len(e) < 8 {
				return corrupt("place", at, "a place with room for an entry")
			}
			child, size, name := le.Uint32(e), uint64(le.Uint16(e[4:])), uint64(e[6])
			if size == 0xffff || size == 0 {
				size = 1 << 16 // of blocks as large
			}
			switch {
			case size < 8 || size%4 != 0 || size > uint64(len(e)):
				return corrupt("rec_len", size, "a multiple of 4, 8 to %d", len(e))
			case child != 0 && (name == 0 || name+8 > size):
				return corrupt("name_len", name, "1 to %d, as rec_len has it", size-8)
			case child > f.inodes:
				return corrupt("inode", uint64(child), "at most %d, s_inodes_count", f.inodes)
			}
			if text := string(e[8 : 8+min(name, size-8)]); child != 0 && text != "." && text != ".." && !yield(text, diskfs.Ref(child)) {
				return nil
			}
			at += size
		}
	}
	return nil
}
