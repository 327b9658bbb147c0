//go:build tamago

package unix

import "unsafe"

// Statx_t is what Statx tells. Mask says which fields a file system knows.
type Statx_t struct {
	Mask            uint32
	Blksize         uint32
	Attributes      uint64
	Nlink           uint32
	Uid             uint32
	Gid             uint32
	Mode            uint16
	_               uint16
	Ino             uint64
	Size            uint64
	Blocks          uint64
	Attributes_mask uint64
	Atime           StatxTimestamp
	Btime           StatxTimestamp
	Ctime           StatxTimestamp
	Mtime           StatxTimestamp
	Rdev_major      uint32
	Rdev_minor      uint32
	Dev_major       uint32
	Dev_minor       uint32

	// What no file system here tells.
	Mnt_id                    uint64
	Dio_mem_align             uint32
	Dio_offset_align          uint32
	Subvol                    uint64
	Atomic_write_unit_min     uint32
	Atomic_write_unit_max     uint32
	Atomic_write_segments_max uint32
	Dio_read_offset_align     uint32
	Atomic_write_unit_max_opt uint32
	_                         uint32
	_                         [8]uint64
}

// StatxTimestamp is a point in time: seconds and nanoseconds since 1970.
type StatxTimestamp struct {
	Sec  int64
	Nsec uint32
	_    int32
}

// Masks of Statx.
const (
	STATX_TYPE        = 0x1
	STATX_MODE        = 0x2
	STATX_NLINK       = 0x4
	STATX_UID         = 0x8
	STATX_GID         = 0x10
	STATX_ATIME       = 0x20
	STATX_MTIME       = 0x40
	STATX_CTIME       = 0x80
	STATX_INO         = 0x100
	STATX_SIZE        = 0x200
	STATX_BLOCKS      = 0x400
	STATX_BASIC_STATS = 0x7ff
	STATX_BTIME       = 0x800
	STATX_ALL         = 0xfff
)

// Flags of Statx.
const (
	AT_STATX_SYNC_AS_STAT = 0x0
	AT_STATX_FORCE_SYNC   = 0x2000
	AT_STATX_DONT_SYNC    = 0x4000
)

// Statx is Fstatat for what file systems know beyond that.
func Statx(dirfd int, path string, flags int, mask int, stat *Statx_t) error {
	return statx(dirfd, path, flags, uint32(mask), unsafe.Slice((*byte)(unsafe.Pointer(stat)), unsafe.Sizeof(*stat)))
}
