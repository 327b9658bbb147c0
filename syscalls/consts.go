package syscalls

// What Linux's system calls know and its package syscall does not export.
const (
	AT_FDCWD            = -100
	AT_SYMLINK_NOFOLLOW = 0x100
	AT_EACCESS          = 0x200
	AT_REMOVEDIR        = 0x200
	AT_SYMLINK_FOLLOW   = 0x400
	AT_EMPTY_PATH       = 0x1000

	SEEK_SET  = 0
	SEEK_CUR  = 1
	SEEK_END  = 2
	SEEK_DATA = 3
	SEEK_HOLE = 4

	UTIME_NOW  = 1<<30 - 1
	UTIME_OMIT = 1<<30 - 2

	O_PATH = 0x200000

	F_DUPFD_CLOEXEC = 1030
)
