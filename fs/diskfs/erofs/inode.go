package erofs

import (
	"bytes"
	"fmt"
	"io"
	"syscall"

	"github.com/yolkos/yolk/fs/diskfs"
)

// Layouts of data, in i_format.
const (
	layoutPlain = iota
	layoutFullIndex
	layoutInline
	layoutCompactIndex
	layoutChunks
)

var layoutNames = [...]string{"flat plain", "compressed, full", "flat inline", "compressed, compact", "chunk-based"}

const (
	compactSize  = 32 // of the two forms of an inode
	extendedSize = 64
	formatAll    = 1 | 7<<1 // of i_format: the form and the layout
)

// inode is an inode of either form.
type inode struct {
	f      *FS
	nid    uint64
	mode   uint32
	uid    uint32
	gid    uint32
	nlink  uint32
	size   uint64
	mtime  syscall.Timespec
	layout int
	union  uint32 // i_u: by the layout a block, a number of blocks, a device, or the form of chunks
	end    uint64 // where it ends, with its extended attributes, in bytes of the disk
}

func (i *inode) table() string { return fmt.Sprintf("inode %d", i.nid) }

func (i *inode) corrupt(field string, v uint64, want string, args ...any) error {
	return diskfs.Table(i.table()).Corrupt(field, v, want, args...)
}

// unsupported is EOPNOTSUPP: the rest of the file system can be read.
func (i *inode) unsupported(field, what string, args ...any) error {
	return fmt.Errorf("inode %d: %s: %s: %w", i.nid, field, fmt.Sprintf(what, args...), syscall.EOPNOTSUPP)
}

// inode reads an inode.
func (f *FS) inode(nid uint64) (*inode, error) {
	i := &inode{f: f, nid: nid}
	if limit := (uint64(f.disk.Size) - f.metaAt) / slotSize; nid >= limit {
		return nil, i.corrupt("nid", nid, "below %d, as the disk has", limit)
	}
	at := f.metaAt + nid*slotSize
	var b [extendedSize]byte
	if err := f.readMeta(b[:compactSize], at, i.table(), "place"); err != nil {
		return nil, err
	}
	format, attributes, size := le.Uint16(b[:]), uint64(le.Uint16(b[2:])), uint64(compactSize)
	if format&^formatAll != 0 {
		return nil, i.corrupt("i_format", uint64(format), "at most %d", formatAll)
	}
	i.layout = int(format >> 1 & 7)
	if i.layout > layoutChunks {
		return nil, i.corrupt("i_format: data layout", uint64(i.layout), "at most %d", layoutChunks)
	}
	i.mode, i.union = uint32(le.Uint16(b[4:])), le.Uint32(b[16:])
	if format&1 == 0 {
		i.nlink, i.size, i.mtime = uint32(le.Uint16(b[6:])), uint64(le.Uint32(b[8:])), f.built
		i.uid, i.gid = uint32(le.Uint16(b[24:])), uint32(le.Uint16(b[26:]))
	} else {
		size = extendedSize
		if err := f.readMeta(b[compactSize:], at+compactSize, i.table(), "place"); err != nil {
			return nil, err
		}
		i.size, i.uid, i.gid, i.nlink = le.Uint64(b[8:]), le.Uint32(b[24:]), le.Uint32(b[28:]), le.Uint32(b[44:])
		i.mtime = syscall.Timespec{Sec: int64(le.Uint64(b[32:])), Nsec: nanoseconds(le.Uint32(b[40:]))}
	}
	i.end = at + size
	if attributes > 0 {
		const header, each = 12, 4
		i.end += header + (attributes-1)*each
	}
	if limit := uint64(1) << 62; i.size > limit {
		return nil, i.corrupt("i_size", i.size, "at most %d", limit)
	}
	return i, nil
}

// Stat implements diskfs.Volume.
func (f *FS) Stat(ref diskfs.Ref, st *syscall.Stat_t) error {
	i, err := f.inode(uint64(ref))
	if err != nil {
		return err
	}
	*st = syscall.Stat_t{
		Ino: i.nid, Mode: i.mode, Nlink: uint64(i.nlink), Uid: i.uid, Gid: i.gid, Size: int64(i.size), Blksize: int64(f.blockSize()),
		Blocks: int64((i.size + 511) / 512), Atim: i.mtime, Ctim: i.mtime, Mtim: i.mtime,
	}
	if i.compressed() {
		st.Blocks = int64(i.union) << (f.bits - 9)
	}
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFREG, syscall.S_IFDIR, syscall.S_IFLNK, syscall.S_IFIFO, syscall.S_IFSOCK:
	case syscall.S_IFCHR, syscall.S_IFBLK:
		st.Rdev = diskfs.Dev(false, i.union)
	default:
		return i.corrupt("i_mode", uint64(st.Mode), "the type of a file")
	}
	return nil
}

func (i *inode) compressed() bool {
	return i.layout == layoutFullIndex || i.layout == layoutCompactIndex
}

// content returns what reads the bytes of an inode.
func (i *inode) content() (io.ReaderAt, error) {
	switch i.layout {
	case layoutPlain, layoutInline:
		return flat{i}, nil
	case layoutChunks:
		return newChunks(i)
	}
	return newClusters(i)
}

// Open implements diskfs.Volume.
func (f *FS) Open(ref diskfs.Ref) (io.ReaderAt, error) {
	i, err := f.inode(uint64(ref))
	if err != nil {
		return nil, err
	}
	return i.content()
}

// ReadLink implements diskfs.Volume.
func (f *FS) ReadLink(ref diskfs.Ref) (string, error) {
	i, err := f.inode(uint64(ref))
	switch {
	case err != nil:
		return "", err
	case i.mode&syscall.S_IFMT != syscall.S_IFLNK:
		return "", syscall.EINVAL
	case i.size == 0 || i.size > diskfs.MaxLink:
		return "", i.corrupt("i_size", i.size, "1 to %d, a symbolic link", diskfs.MaxLink)
	}
	r, err := i.content()
	if err != nil {
		return "", err
	}
	text := make([]byte, i.size)
	_, err = r.ReadAt(text, 0)
	return string(text), err
}

// direntSize is that of struct erofs_dirent.
const direntSize = 12

// ReadDir implements diskfs.Volume: a directory is a list of blocks, each with entries and
// behind them their names. The first name's place tells how many there are.
func (f *FS) ReadDir(ref diskfs.Ref, yield func(string, diskfs.Ref) bool) error {
	i, err := f.inode(uint64(ref))
	switch {
	case err != nil:
		return err
	case i.mode&syscall.S_IFMT != syscall.S_IFDIR:
		return syscall.ENOTDIR
	case i.size > diskfs.MaxDirectory:
		return i.corrupt("i_size", i.size, "at most %d, a directory", diskfs.MaxDirectory)
	}
	r, err := i.content()
	if err != nil {
		return err
	}
	b := make([]byte, f.blockSize())
	for start := uint64(0); start < i.size; start += f.blockSize() {
		b = b[:min(f.blockSize(), i.size-start)]
		if _, err := r.ReadAt(b, int64(start)); err != nil {
			return err
		}
		more, err := i.entries(b, start, yield)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// entries lists a block of a directory, which is at start there.
func (i *inode) entries(b []byte, start uint64, yield func(string, diskfs.Ref) bool) (more bool, err error) {
	corrupt := func(n int, field string, v uint64, want string, args ...any) error {
		table := fmt.Sprintf("directory, inode %d: block at %d: entry %d", i.nid, start, n)
		return diskfs.Table(table).Corrupt(field, v, want, args...)
	}
	if len(b) < direntSize {
		return false, i.corrupt("i_size", i.size, "room for an entry in the last block")
	}
	names := int(le.Uint16(b[8:])) // where they begin
	if names < direntSize || names%direntSize != 0 || names > len(b) {
		return false, corrupt(0, "nameoff", uint64(names), "a multiple of %d, at most %d", direntSize, len(b))
	}
	at := names
	for n := range names / direntSize {
		end := len(b)
		if next := (n + 1) * direntSize; next < names {
			if end = int(le.Uint16(b[next+8:])); end < at || end > len(b) {
				return false, corrupt(n+1, "nameoff", uint64(end), "%d to %d", at, len(b))
			}
		}
		name := b[at:end]
		if end == len(b) {
			name, _, _ = bytes.Cut(name, []byte{0}) // zeroes fill the block
		}
		if len(name) == 0 || len(name) > 255 {
			return false, corrupt(n, "size of a name", uint64(len(name)), "1 to 255")
		}
		nid := le.Uint64(b[n*direntSize:])
		if text := string(name); text != "." && text != ".." && !yield(text, diskfs.Ref(nid)) {
			return false, nil
		}
		at = end
	}
	return true, nil
}
