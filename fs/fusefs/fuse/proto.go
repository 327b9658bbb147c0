package fuse

// Version of the protocol that this package describes.
const (
	FUSE_KERNEL_VERSION       = 7
	FUSE_KERNEL_MINOR_VERSION = 41
)

// FUSE_ROOT_ID is the nodeid of the root directory.
const FUSE_ROOT_ID = 1

// FUSE_UNIQUE_RESEND marks the unique of a request that is sent again.
const FUSE_UNIQUE_RESEND = 1 << 63

// Operations.
const (
	FUSE_LOOKUP          = 1
	FUSE_FORGET          = 2 // no reply
	FUSE_GETATTR         = 3
	FUSE_SETATTR         = 4
	FUSE_READLINK        = 5
	FUSE_SYMLINK         = 6
	FUSE_MKNOD           = 8
	FUSE_MKDIR           = 9
	FUSE_UNLINK          = 10
	FUSE_RMDIR           = 11
	FUSE_RENAME          = 12
	FUSE_LINK            = 13
	FUSE_OPEN            = 14
	FUSE_READ            = 15
	FUSE_WRITE           = 16
	FUSE_STATFS          = 17
	FUSE_RELEASE         = 18
	FUSE_FSYNC           = 20
	FUSE_SETXATTR        = 21
	FUSE_GETXATTR        = 22
	FUSE_LISTXATTR       = 23
	FUSE_REMOVEXATTR     = 24
	FUSE_FLUSH           = 25
	FUSE_INIT            = 26
	FUSE_OPENDIR         = 27
	FUSE_READDIR         = 28
	FUSE_RELEASEDIR      = 29
	FUSE_FSYNCDIR        = 30
	FUSE_GETLK           = 31
	FUSE_SETLK           = 32
	FUSE_SETLKW          = 33
	FUSE_ACCESS          = 34
	FUSE_CREATE          = 35
	FUSE_INTERRUPT       = 36
	FUSE_BMAP            = 37
	FUSE_DESTROY         = 38
	FUSE_IOCTL           = 39
	FUSE_POLL            = 40
	FUSE_NOTIFY_REPLY    = 41
	FUSE_BATCH_FORGET    = 42 // no reply
	FUSE_FALLOCATE       = 43
	FUSE_READDIRPLUS     = 44
	FUSE_RENAME2         = 45
	FUSE_LSEEK           = 46
	FUSE_COPY_FILE_RANGE = 47
	FUSE_SETUPMAPPING    = 48
	FUSE_REMOVEMAPPING   = 49
	FUSE_SYNCFS          = 50
	FUSE_TMPFILE         = 51
	FUSE_STATX           = 52

	// OpcodeCount is one more than the highest operation.
	OpcodeCount = 53
)

var opNames = [OpcodeCount]string{
	FUSE_LOOKUP: "LOOKUP", FUSE_FORGET: "FORGET", FUSE_GETATTR: "GETATTR",
	FUSE_SETATTR: "SETATTR", FUSE_READLINK: "READLINK", FUSE_SYMLINK: "SYMLINK",
	FUSE_MKNOD: "MKNOD", FUSE_MKDIR: "MKDIR", FUSE_UNLINK: "UNLINK",
	FUSE_RMDIR: "RMDIR", FUSE_RENAME: "RENAME", FUSE_LINK: "LINK",
	FUSE_OPEN: "OPEN", FUSE_READ: "READ", FUSE_WRITE: "WRITE",
	FUSE_STATFS: "STATFS", FUSE_RELEASE: "RELEASE", FUSE_FSYNC: "FSYNC",
	FUSE_SETXATTR: "SETXATTR", FUSE_GETXATTR: "GETXATTR",
	FUSE_LISTXATTR: "LISTXATTR", FUSE_REMOVEXATTR: "REMOVEXATTR",
	FUSE_FLUSH: "FLUSH", FUSE_INIT: "INIT", FUSE_OPENDIR: "OPENDIR",
	FUSE_READDIR: "READDIR", FUSE_RELEASEDIR: "RELEASEDIR",
	FUSE_FSYNCDIR: "FSYNCDIR", FUSE_GETLK: "GETLK", FUSE_SETLK: "SETLK",
	FUSE_SETLKW: "SETLKW", FUSE_ACCESS: "ACCESS", FUSE_CREATE: "CREATE",
	FUSE_INTERRUPT: "INTERRUPT", FUSE_BMAP: "BMAP", FUSE_DESTROY: "DESTROY",
	FUSE_IOCTL: "IOCTL", FUSE_POLL: "POLL", FUSE_NOTIFY_REPLY: "NOTIFY_REPLY",
	FUSE_BATCH_FORGET: "BATCH_FORGET", FUSE_FALLOCATE: "FALLOCATE",
	FUSE_READDIRPLUS: "READDIRPLUS", FUSE_RENAME2: "RENAME2",
	FUSE_LSEEK: "LSEEK", FUSE_COPY_FILE_RANGE: "COPY_FILE_RANGE",
	FUSE_SETUPMAPPING: "SETUPMAPPING", FUSE_REMOVEMAPPING: "REMOVEMAPPING",
	FUSE_SYNCFS: "SYNCFS", FUSE_TMPFILE: "TMPFILE", FUSE_STATX: "STATX",
}

// OpName returns the name of an operation without FUSE_, or "?".
func OpName(op uint32) string {
	if op < OpcodeCount && opNames[op] != "" {
		return opNames[op]
	}
	return "?"
}

// Notifications: the negated code is the error field of a reply with unique 0.
const (
	FUSE_NOTIFY_POLL        = 1
	FUSE_NOTIFY_INVAL_INODE = 2
	FUSE_NOTIFY_INVAL_ENTRY = 3
	FUSE_NOTIFY_STORE       = 4
	FUSE_NOTIFY_RETRIEVE    = 5
	FUSE_NOTIFY_DELETE      = 6
	FUSE_NOTIFY_RESEND      = 7
)

// Request extensions.
const (
	FUSE_MAX_NR_SECCTX = 31
	FUSE_EXT_GROUPS    = 32
)

// Sizes of structures as older servers know them, in bytes.
const (
	FUSE_COMPAT_22_INIT_OUT_SIZE = 24
	FUSE_COMPAT_SETXATTR_IN_SIZE = 8
	FUSE_MIN_READ_BUFFER         = 8192
	FUSE_IOCTL_MAX_IOV           = 256
)
