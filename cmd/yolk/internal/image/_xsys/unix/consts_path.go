//go:build tamago

package unix

import "syscall"

// Mode bits.
const (
	S_BLKSIZE = syscall.S_BLKSIZE
	S_IEXEC   = syscall.S_IEXEC
	S_IFBLK   = syscall.S_IFBLK
	S_IFCHR   = syscall.S_IFCHR
	S_IFDIR   = syscall.S_IFDIR
	S_IFIFO   = syscall.S_IFIFO
	S_IFLNK   = syscall.S_IFLNK
	S_IFMT    = syscall.S_IFMT
	S_IFREG   = syscall.S_IFREG
	S_IFSOCK  = syscall.S_IFSOCK
	S_IREAD   = syscall.S_IREAD
	S_IRGRP   = syscall.S_IRGRP
	S_IROTH   = syscall.S_IROTH
	S_IRUSR   = syscall.S_IRUSR
	S_IRWXG   = syscall.S_IRWXG
	S_IRWXO   = syscall.S_IRWXO
	S_IRWXU   = syscall.S_IRWXU
	S_ISGID   = syscall.S_ISGID
	S_ISUID   = syscall.S_ISUID
	S_ISVTX   = syscall.S_ISVTX
	S_IWGRP   = syscall.S_IWGRP
	S_IWOTH   = syscall.S_IWOTH
	S_IWRITE  = syscall.S_IWRITE
	S_IWUSR   = syscall.S_IWUSR
	S_IXGRP   = syscall.S_IXGRP
	S_IXOTH   = syscall.S_IXOTH
	S_IXUSR   = syscall.S_IXUSR
)

// File types in directory entries.
const (
	DT_BLK     = syscall.DT_BLK
	DT_CHR     = syscall.DT_CHR
	DT_DIR     = syscall.DT_DIR
	DT_FIFO    = syscall.DT_FIFO
	DT_LNK     = syscall.DT_LNK
	DT_REG     = syscall.DT_REG
	DT_SOCK    = syscall.DT_SOCK
	DT_UNKNOWN = syscall.DT_UNKNOWN
	DT_WHT     = syscall.DT_WHT
)

// What *at calls take.
const (
	AT_FDCWD            = -0x64
	AT_SYMLINK_NOFOLLOW = 0x100
	AT_EACCESS          = 0x200
	AT_REMOVEDIR        = 0x200
	AT_SYMLINK_FOLLOW   = 0x400
	AT_NO_AUTOMOUNT     = 0x800
	AT_EMPTY_PATH       = 0x1000
)

// What Access asks for.
const (
	F_OK = 0x0
	R_OK = 0x4
	W_OK = 0x2
	X_OK = 0x1
)

// What Renameat2 does.
const (
	RENAME_NOREPLACE = 0x1
	RENAME_EXCHANGE  = 0x2
	RENAME_WHITEOUT  = 0x4
)

// Nanoseconds with a meaning in UtimesNanoAt.
const (
	UTIME_NOW  = 0x3fffffff
	UTIME_OMIT = 0x3ffffffe
)

// What Setxattr does.
const (
	XATTR_CREATE  = 0x1
	XATTR_REPLACE = 0x2
)

// Flags of Mount and Unmount.
const (
	MNT_DETACH     = syscall.MNT_DETACH
	MNT_FORCE      = syscall.MNT_FORCE
	MS_BIND        = syscall.MS_BIND
	MS_MOVE        = syscall.MS_MOVE
	MS_NOATIME     = syscall.MS_NOATIME
	MS_NODEV       = syscall.MS_NODEV
	MS_NODIRATIME  = syscall.MS_NODIRATIME
	MS_NOEXEC      = syscall.MS_NOEXEC
	MS_NOSUID      = syscall.MS_NOSUID
	MS_RDONLY      = syscall.MS_RDONLY
	MS_REC         = syscall.MS_REC
	MS_REMOUNT     = syscall.MS_REMOUNT
	MS_SYNCHRONOUS = syscall.MS_SYNCHRONOUS

	MS_DIRSYNC     = 0x80
	MS_MANDLOCK    = 0x40
	MS_NOSYMFOLLOW = 0x100
	MS_SILENT      = 0x8000
	MS_POSIXACL    = 0x10000
	MS_UNBINDABLE  = 0x20000
	MS_PRIVATE     = 0x40000
	MS_SLAVE       = 0x80000
	MS_SHARED      = 0x100000
	MS_RELATIME    = 0x200000
	MS_STRICTATIME = 0x1000000
	MS_LAZYTIME    = 0x2000000
	MNT_EXPIRE     = 0x4
)

// Flags in Statfs_t.
const (
	ST_RDONLY      = 0x1
	ST_NOSUID      = 0x2
	ST_NODEV       = 0x4
	ST_NOEXEC      = 0x8
	ST_SYNCHRONOUS = 0x10
	ST_MANDLOCK    = 0x40
	ST_NOATIME     = 0x400
	ST_NODIRATIME  = 0x800
	ST_RELATIME    = 0x1000
)

// Types of file systems in Statfs_t.
const (
	BTRFS_SUPER_MAGIC     = 0x9123683e
	CIFS_SUPER_MAGIC      = 0xff534d42
	EXT2_SUPER_MAGIC      = 0xef53
	EXT3_SUPER_MAGIC      = 0xef53
	EXT4_SUPER_MAGIC      = 0xef53
	FUSE_SUPER_MAGIC      = 0x65735546
	NFS_SUPER_MAGIC       = 0x6969
	OVERLAYFS_SUPER_MAGIC = 0x794c7630
	PROC_SUPER_MAGIC      = 0x9fa0
	TMPFS_MAGIC           = 0x1021994
	XFS_SUPER_MAGIC       = 0x58465342
)

// Lengths of names and paths, the latter with the NUL, in bytes.
const (
	PathMax = syscall.PathMax

	NAME_MAX = 0xff
)
