//go:build tamago

package unix

import (
	"syscall"
	"unsafe"
)

type Stat_t = syscall.Stat_t

// Statfs_t is that of package syscall, but that programs look into Fsid.
type Statfs_t struct {
	Type    int64
	Bsize   int64
	Blocks  uint64
	Bfree   uint64
	Bavail  uint64
	Files   uint64
	Ffree   uint64
	Fsid    Fsid
	Namelen int64
	Frsize  int64
	Flags   int64
	Spare   [4]int64
}

type Fsid struct {
	Val [2]int32
}

// The two have one layout.
const _ = -(unsafe.Sizeof(Statfs_t{}) ^ unsafe.Sizeof(syscall.Statfs_t{}))

func Stat(path string, stat *Stat_t) error  { return syscall.Stat(path, stat) }
func Lstat(path string, stat *Stat_t) error { return syscall.Lstat(path, stat) }
func Fstat(fd int, stat *Stat_t) error      { return syscall.Fstat(fd, stat) }

func Fstatat(dirfd int, path string, stat *Stat_t, flags int) error {
	return fstatat(dirfd, path, stat, flags)
}

func Statfs(path string, buf *Statfs_t) error {
	return syscall.Statfs(path, (*syscall.Statfs_t)(unsafe.Pointer(buf)))
}

func Fstatfs(fd int, buf *Statfs_t) error {
	return syscall.Fstatfs(fd, (*syscall.Statfs_t)(unsafe.Pointer(buf)))
}

// A device number of Linux has 12 bits of major and 8 of minor in the middle
// and at the end, and the rest above.

func Major(dev uint64) uint32 { return uint32(dev>>8&0xfff | dev>>32&0xfffff000) }
func Minor(dev uint64) uint32 { return uint32(dev&0xff | dev>>12&0xffffff00) }

func Mkdev(major, minor uint32) uint64 {
	a, b := uint64(major), uint64(minor)
	return a&0xfff<<8 | a&^0xfff<<32 | b&0xff | b&^0xff<<12
}
