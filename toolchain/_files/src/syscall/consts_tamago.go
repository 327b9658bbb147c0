//go:build tamago

package syscall

// The values in this file are those of Linux on amd64.

// Descriptors that are open from the start.
var (
	Stdin  = 0
	Stdout = 1
	Stderr = 2
)

// PathMax is the size of the longest path with its NUL, in bytes.
const PathMax = 4096

// Flags of Open and of the status of a descriptor.
const (
	O_RDONLY = 0x0
	O_WRONLY = 0x1
	O_RDWR   = 0x2

	O_ACCMODE   = 0x3
	O_CREAT     = 0x40
	O_EXCL      = 0x80
	O_NOCTTY    = 0x100
	O_TRUNC     = 0x200
	O_APPEND    = 0x400
	O_NONBLOCK  = 0x800
	O_NDELAY    = O_NONBLOCK
	O_DSYNC     = 0x1000
	O_ASYNC     = 0x2000
	O_DIRECT    = 0x4000
	O_LARGEFILE = 0x0
	O_DIRECTORY = 0x10000
	O_NOFOLLOW  = 0x20000
	O_NOATIME   = 0x40000
	O_CLOEXEC   = 0x80000
	O_SYNC      = 0x100000 | O_DSYNC
	O_FSYNC     = O_SYNC
	O_RSYNC     = O_SYNC
)

// Mode bits of Stat_t, Mknod and Chmod.
const (
	S_IFMT   = 0xf000
	S_IFIFO  = 0x1000
	S_IFCHR  = 0x2000
	S_IFDIR  = 0x4000
	S_IFBLK  = 0x6000
	S_IFREG  = 0x8000
	S_IFLNK  = 0xa000
	S_IFSOCK = 0xc000

	S_ISUID = 0o4000
	S_ISGID = 0o2000
	S_ISVTX = 0o1000

	S_IRWXU = 0o700
	S_IRUSR = 0o400
	S_IWUSR = 0o200
	S_IXUSR = 0o100
	S_IRWXG = 0o070
	S_IRGRP = 0o040
	S_IWGRP = 0o020
	S_IXGRP = 0o010
	S_IRWXO = 0o007
	S_IROTH = 0o004
	S_IWOTH = 0o002
	S_IXOTH = 0o001

	S_IREAD  = S_IRUSR
	S_IWRITE = S_IWUSR
	S_IEXEC  = S_IXUSR

	S_BLKSIZE = 512
)

// File types in directory entries: the mode's type, shifted.
const (
	DT_UNKNOWN = 0
	DT_FIFO    = S_IFIFO >> 12
	DT_CHR     = S_IFCHR >> 12
	DT_DIR     = S_IFDIR >> 12
	DT_BLK     = S_IFBLK >> 12
	DT_REG     = S_IFREG >> 12
	DT_LNK     = S_IFLNK >> 12
	DT_SOCK    = S_IFSOCK >> 12
	DT_WHT     = 14
)

// Commands of fcntl, and what they take.
const (
	F_DUPFD         = 0
	F_GETFD         = 1
	F_SETFD         = 2
	F_GETFL         = 3
	F_SETFL         = 4
	F_GETLK         = 5
	F_SETLK         = 6
	F_SETLKW        = 7
	F_GETLK64       = F_GETLK
	F_SETLK64       = F_SETLK
	F_SETLKW64      = F_SETLKW
	F_SETOWN        = 8
	F_GETOWN        = 9
	F_DUPFD_CLOEXEC = 1030
	F_SETPIPE_SZ    = 1031
	F_GETPIPE_SZ    = 1032

	F_OFD_GETLK  = 36
	F_OFD_SETLK  = 37
	F_OFD_SETLKW = 38

	FD_CLOEXEC = 1

	F_RDLCK = 0
	F_WRLCK = 1
	F_UNLCK = 2
)

// What Flock does.
const (
	LOCK_SH = 1
	LOCK_EX = 2
	LOCK_NB = 4
	LOCK_UN = 8
)

// What *at calls take.
const (
	_AT_FDCWD            = -100
	_AT_SYMLINK_NOFOLLOW = 0x100
	_AT_EACCESS          = 0x200
	_AT_REMOVEDIR        = 0x200
	_AT_SYMLINK_FOLLOW   = 0x400
	_AT_EMPTY_PATH       = 0x1000
)

// Memory maps.
const (
	PROT_NONE  = 0
	PROT_READ  = 1
	PROT_WRITE = 2
	PROT_EXEC  = 4

	MAP_FILE      = 0
	MAP_SHARED    = 0x01
	MAP_PRIVATE   = 0x02
	MAP_FIXED     = 0x10
	MAP_ANON      = 0x20
	MAP_ANONYMOUS = MAP_ANON
	MAP_NORESERVE = 0x4000
	MAP_POPULATE  = 0x8000

	MADV_NORMAL     = 0
	MADV_RANDOM     = 1
	MADV_SEQUENTIAL = 2
	MADV_WILLNEED   = 3
	MADV_DONTNEED   = 4

	MS_ASYNC      = 1
	MS_INVALIDATE = 2
	MS_SYNC       = 4
)

// Flags of Mount and Unmount.
const (
	MS_RDONLY      = 0x1
	MS_NOSUID      = 0x2
	MS_NODEV       = 0x4
	MS_NOEXEC      = 0x8
	MS_SYNCHRONOUS = 0x10
	MS_REMOUNT     = 0x20
	MS_NOATIME     = 0x400
	MS_NODIRATIME  = 0x800
	MS_BIND        = 0x1000
	MS_MOVE        = 0x2000
	MS_REC         = 0x4000

	MNT_FORCE  = 1
	MNT_DETACH = 2
)

// Processes.
const (
	WNOHANG    = 1
	WUNTRACED  = 2
	WCONTINUED = 8

	RUSAGE_SELF     = 0
	RUSAGE_CHILDREN = -1
	RUSAGE_THREAD   = 1

	RLIMIT_CPU    = 0
	RLIMIT_FSIZE  = 1
	RLIMIT_DATA   = 2
	RLIMIT_STACK  = 3
	RLIMIT_CORE   = 4
	RLIMIT_NOFILE = 7
	RLIMIT_AS     = 9
)
