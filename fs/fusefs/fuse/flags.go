package fuse

// SetattrIn.Valid.
const (
	FATTR_MODE         = 1 << 0
	FATTR_UID          = 1 << 1
	FATTR_GID          = 1 << 2
	FATTR_SIZE         = 1 << 3
	FATTR_ATIME        = 1 << 4
	FATTR_MTIME        = 1 << 5
	FATTR_FH           = 1 << 6
	FATTR_ATIME_NOW    = 1 << 7
	FATTR_MTIME_NOW    = 1 << 8
	FATTR_LOCKOWNER    = 1 << 9
	FATTR_CTIME        = 1 << 10
	FATTR_KILL_SUIDGID = 1 << 11
)

// OpenOut.OpenFlags.
const (
	FOPEN_DIRECT_IO              = 1 << 0
	FOPEN_KEEP_CACHE             = 1 << 1
	FOPEN_NONSEEKABLE            = 1 << 2
	FOPEN_CACHE_DIR              = 1 << 3
	FOPEN_STREAM                 = 1 << 4
	FOPEN_NOFLUSH                = 1 << 5
	FOPEN_PARALLEL_DIRECT_WRITES = 1 << 6
	FOPEN_PASSTHROUGH            = 1 << 7
)

// InitIn.Flags and InitOut.Flags; those from bit 32 on are in Flags2.
const (
	FUSE_ASYNC_READ           = 1 << 0
	FUSE_POSIX_LOCKS          = 1 << 1
	FUSE_FILE_OPS             = 1 << 2
	FUSE_ATOMIC_O_TRUNC       = 1 << 3
	FUSE_EXPORT_SUPPORT       = 1 << 4
	FUSE_BIG_WRITES           = 1 << 5
	FUSE_DONT_MASK            = 1 << 6
	FUSE_SPLICE_WRITE         = 1 << 7
	FUSE_SPLICE_MOVE          = 1 << 8
	FUSE_SPLICE_READ          = 1 << 9
	FUSE_FLOCK_LOCKS          = 1 << 10
	FUSE_HAS_IOCTL_DIR        = 1 << 11
	FUSE_AUTO_INVAL_DATA      = 1 << 12
	FUSE_DO_READDIRPLUS       = 1 << 13
	FUSE_READDIRPLUS_AUTO     = 1 << 14
	FUSE_ASYNC_DIO            = 1 << 15
	FUSE_WRITEBACK_CACHE      = 1 << 16
	FUSE_NO_OPEN_SUPPORT      = 1 << 17
	FUSE_PARALLEL_DIROPS      = 1 << 18
	FUSE_HANDLE_KILLPRIV      = 1 << 19
	FUSE_POSIX_ACL            = 1 << 20
	FUSE_ABORT_ERROR          = 1 << 21
	FUSE_MAX_PAGES            = 1 << 22
	FUSE_CACHE_SYMLINKS       = 1 << 23
	FUSE_NO_OPENDIR_SUPPORT   = 1 << 24
	FUSE_EXPLICIT_INVAL_DATA  = 1 << 25
	FUSE_MAP_ALIGNMENT        = 1 << 26
	FUSE_SUBMOUNTS            = 1 << 27
	FUSE_HANDLE_KILLPRIV_V2   = 1 << 28
	FUSE_SETXATTR_EXT         = 1 << 29
	FUSE_INIT_EXT             = 1 << 30
	FUSE_INIT_RESERVED        = 1 << 31
	FUSE_SECURITY_CTX         = 1 << 32
	FUSE_HAS_INODE_DAX        = 1 << 33
	FUSE_CREATE_SUPP_GROUP    = 1 << 34
	FUSE_HAS_EXPIRE_ONLY      = 1 << 35
	FUSE_DIRECT_IO_ALLOW_MMAP = 1 << 36
	FUSE_PASSTHROUGH          = 1 << 37
	FUSE_NO_EXPORT_SUPPORT    = 1 << 38
	FUSE_HAS_RESEND           = 1 << 39
	FUSE_ALLOW_IDMAP          = 1 << 40
)

// initFlagNames are the names of the bits of the INIT flags.
var initFlagNames = [...]string{
	"ASYNC_READ", "POSIX_LOCKS", "FILE_OPS", "ATOMIC_O_TRUNC",
	"EXPORT_SUPPORT", "BIG_WRITES", "DONT_MASK", "SPLICE_WRITE",
	"SPLICE_MOVE", "SPLICE_READ", "FLOCK_LOCKS", "HAS_IOCTL_DIR",
	"AUTO_INVAL_DATA", "DO_READDIRPLUS", "READDIRPLUS_AUTO", "ASYNC_DIO",
	"WRITEBACK_CACHE", "NO_OPEN_SUPPORT", "PARALLEL_DIROPS", "HANDLE_KILLPRIV",
	"POSIX_ACL", "ABORT_ERROR", "MAX_PAGES", "CACHE_SYMLINKS",
	"NO_OPENDIR_SUPPORT", "EXPLICIT_INVAL_DATA", "MAP_ALIGNMENT", "SUBMOUNTS",
	"HANDLE_KILLPRIV_V2", "SETXATTR_EXT", "INIT_EXT", "INIT_RESERVED",
	"SECURITY_CTX", "HAS_INODE_DAX", "CREATE_SUPP_GROUP", "HAS_EXPIRE_ONLY",
	"DIRECT_IO_ALLOW_MMAP", "PASSTHROUGH", "NO_EXPORT_SUPPORT", "HAS_RESEND",
	"ALLOW_IDMAP",
}

// InitFlagName returns the name of INIT flag 1<<bit without FUSE_, or "".
func InitFlagName(bit int) string {
	if bit < 0 || bit >= len(initFlagNames) {
		return ""
	}
	return initFlagNames[bit]
}

// Flags of single operations.
const (
	FUSE_RELEASE_FLUSH        = 1 << 0 // ReleaseIn.ReleaseFlags
	FUSE_RELEASE_FLOCK_UNLOCK = 1 << 1

	FUSE_GETATTR_FH = 1 << 0 // GetattrIn.GetattrFlags

	FUSE_LK_FLOCK = 1 << 0 // LkIn.LkFlags

	FUSE_WRITE_CACHE        = 1 << 0 // WriteIn.WriteFlags
	FUSE_WRITE_LOCKOWNER    = 1 << 1
	FUSE_WRITE_KILL_SUIDGID = 1 << 2

	FUSE_READ_LOCKOWNER = 1 << 1 // ReadIn.ReadFlags

	FUSE_IOCTL_COMPAT       = 1 << 0 // IoctlIn.Flags
	FUSE_IOCTL_UNRESTRICTED = 1 << 1
	FUSE_IOCTL_RETRY        = 1 << 2
	FUSE_IOCTL_32BIT        = 1 << 3
	FUSE_IOCTL_DIR          = 1 << 4
	FUSE_IOCTL_COMPAT_X32   = 1 << 5

	FUSE_POLL_SCHEDULE_NOTIFY = 1 << 0 // PollIn.Flags

	FUSE_FSYNC_FDATASYNC = 1 << 0 // FsyncIn.FsyncFlags

	FUSE_ATTR_SUBMOUNT = 1 << 0 // Attr.Flags
	FUSE_ATTR_DAX      = 1 << 1

	FUSE_OPEN_KILL_SUIDGID = 1 << 0 // OpenIn.OpenFlags, CreateIn.OpenFlags

	FUSE_SETXATTR_ACL_KILL_SGID = 1 << 0 // SetxattrIn.SetxattrFlags

	FUSE_EXPIRE_ONLY = 1 << 0 // NotifyInvalEntryOut.Flags

	FUSE_SETUPMAPPING_FLAG_WRITE = 1 << 0 // SetupmappingIn.Flags
	FUSE_SETUPMAPPING_FLAG_READ  = 1 << 1
)
