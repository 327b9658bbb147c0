package syscalls

import (
	"encoding/binary"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// StatxSize is how many bytes Statx fills: struct statx of statx(2).
const StatxSize = 256

// Flags and masks of statx(2).
const (
	atNoAutomount = 0x800 // there are no automounts
	atForceSync   = 0x2000
	atDontSync    = 0x4000
	statxReserved = 1 << 31
)

// Statx fills stx with a struct statx: the attributes of the file at path, more
// of them than Fstatat, where its file system knows more. Flags:
// AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, and what statx(2) has of its own.
func (k *Kernel) Statx(dirfd int, path string, flags int, mask uint32, stx []byte) syscall.Errno {
	const known = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | atNoAutomount | atForceSync | atDontSync
	switch {
	case len(stx) < StatxSize:
		return syscall.EFAULT
	case flags&^known != 0 || flags&(atForceSync|atDontSync) == atForceSync|atDontSync || mask&statxReserved != 0:
		return syscall.EINVAL
	}
	var x fs.Statx
	if path == "" && flags&AT_EMPTY_PATH != 0 && dirfd != AT_FDCWD {
		d, e := k.table.get(dirfd)
		if e != 0 {
			return e
		}
		defer d.put()
		if err := d.dentry.StatxFile(d.file, &x, mask, flags&atForceSync != 0); err != nil {
			return errno(err)
		}
		fillStatx(stx, &x)
		return 0
	}
	b, path, e := k.baseOrSelf(dirfd, path, flags)
	if e != 0 {
		return e
	}
	defer b.done()
	if err := k.vfs.Statx(b.Base, path, flags&AT_SYMLINK_NOFOLLOW == 0, &x, mask, flags&atForceSync != 0); err != nil {
		return errno(err)
	}
	fillStatx(stx, &x)
	return 0
}

func fillStatx(stx []byte, x *fs.Statx) {
	le := binary.LittleEndian
	b := le.AppendUint32(stx[:0], x.Mask)
	b = le.AppendUint32(b, x.Blksize)
	b = le.AppendUint64(b, x.Attributes)
	b = le.AppendUint32(b, x.Nlink)
	b = le.AppendUint32(b, x.Uid)
	b = le.AppendUint32(b, x.Gid)
	b = le.AppendUint32(b, x.Mode) // 16 bits and padding
	b = le.AppendUint64(b, x.Ino)
	b = le.AppendUint64(b, uint64(x.Size))
	b = le.AppendUint64(b, uint64(x.Blocks))
	b = le.AppendUint64(b, x.AttributesMask)
	for _, t := range []fs.Time{x.Atime, x.Btime, x.Ctime, x.Mtime} {
		b = le.AppendUint64(b, uint64(t.Sec))
		b = le.AppendUint64(b, uint64(t.Nsec)) // 32 bits and padding
	}
	for _, dev := range []uint64{x.Rdev, x.Dev} {
		b = le.AppendUint32(b, uint32(dev>>8&0xfff|dev>>32&^0xfff))
		b = le.AppendUint32(b, uint32(dev&0xff|dev>>12&^0xff))
	}
	clear(stx[len(b):StatxSize])
}
