//go:build tamago

package unix

import "syscall"

// Flags of Open and of the status of a descriptor.
const (
	O_ACCMODE   = syscall.O_ACCMODE
	O_APPEND    = syscall.O_APPEND
	O_ASYNC     = syscall.O_ASYNC
	O_CLOEXEC   = syscall.O_CLOEXEC
	O_CREAT     = syscall.O_CREAT
	O_DIRECT    = syscall.O_DIRECT
	O_DIRECTORY = syscall.O_DIRECTORY
	O_DSYNC     = syscall.O_DSYNC
	O_EXCL      = syscall.O_EXCL
	O_FSYNC     = syscall.O_FSYNC
	O_LARGEFILE = syscall.O_LARGEFILE
	O_NDELAY    = syscall.O_NDELAY
	O_NOATIME   = syscall.O_NOATIME
	O_NOCTTY    = syscall.O_NOCTTY
	O_NOFOLLOW  = syscall.O_NOFOLLOW
	O_NONBLOCK  = syscall.O_NONBLOCK
	O_RDONLY    = syscall.O_RDONLY
	O_RDWR      = syscall.O_RDWR
	O_RSYNC     = syscall.O_RSYNC
	O_SYNC      = syscall.O_SYNC
	O_TRUNC     = syscall.O_TRUNC
	O_WRONLY    = syscall.O_WRONLY

	O_PATH    = 0x200000
	O_TMPFILE = 0x410000
)

// Where Seek counts from.
const (
	SEEK_SET  = 0x0
	SEEK_CUR  = 0x1
	SEEK_END  = 0x2
	SEEK_DATA = 0x3
	SEEK_HOLE = 0x4
)

// Commands of fcntl, and what they take.
const (
	FD_CLOEXEC      = syscall.FD_CLOEXEC
	F_DUPFD         = syscall.F_DUPFD
	F_DUPFD_CLOEXEC = syscall.F_DUPFD_CLOEXEC
	F_GETFD         = syscall.F_GETFD
	F_GETFL         = syscall.F_GETFL
	F_GETLK         = syscall.F_GETLK
	F_GETLK64       = syscall.F_GETLK64
	F_GETOWN        = syscall.F_GETOWN
	F_GETPIPE_SZ    = syscall.F_GETPIPE_SZ
	F_OFD_GETLK     = 0x24
	F_OFD_SETLK     = 0x25
	F_OFD_SETLKW    = 0x26
	F_RDLCK         = syscall.F_RDLCK
	F_SETFD         = syscall.F_SETFD
	F_SETFL         = syscall.F_SETFL
	F_SETLK         = syscall.F_SETLK
	F_SETLK64       = syscall.F_SETLK64
	F_SETLKW        = syscall.F_SETLKW
	F_SETLKW64      = syscall.F_SETLKW64
	F_SETOWN        = syscall.F_SETOWN
	F_SETPIPE_SZ    = syscall.F_SETPIPE_SZ
	F_UNLCK         = syscall.F_UNLCK
	F_WRLCK         = syscall.F_WRLCK

	F_GETSIG    = 0xb
	F_SETSIG    = 0xa
	F_SETLEASE  = 0x400
	F_GETLEASE  = 0x401
	F_NOTIFY    = 0x402
	F_ADD_SEALS = 0x409
	F_GET_SEALS = 0x40a
)

// What Flock does.
const (
	LOCK_EX = syscall.LOCK_EX
	LOCK_NB = syscall.LOCK_NB
	LOCK_SH = syscall.LOCK_SH
	LOCK_UN = syscall.LOCK_UN
)

// What Fadvise takes.
const (
	FADV_NORMAL     = 0x0
	FADV_RANDOM     = 0x1
	FADV_SEQUENTIAL = 0x2
	FADV_WILLNEED   = 0x3
	FADV_DONTNEED   = 0x4
	FADV_NOREUSE    = 0x5
)

// What Fallocate does.
const (
	FALLOC_FL_KEEP_SIZE      = 0x1
	FALLOC_FL_PUNCH_HOLE     = 0x2
	FALLOC_FL_COLLAPSE_RANGE = 0x8
	FALLOC_FL_ZERO_RANGE     = 0x10
	FALLOC_FL_INSERT_RANGE   = 0x20
	FALLOC_FL_UNSHARE_RANGE  = 0x40
)

// What SyncFileRange does.
const (
	SYNC_FILE_RANGE_WAIT_BEFORE = 0x1
	SYNC_FILE_RANGE_WRITE       = 0x2
	SYNC_FILE_RANGE_WAIT_AFTER  = 0x4
)

// What Poll waits for.
const (
	POLLIN    = 0x1
	POLLPRI   = 0x2
	POLLOUT   = 0x4
	POLLERR   = 0x8
	POLLHUP   = 0x10
	POLLNVAL  = 0x20
	POLLRDHUP = 0x2000
)
