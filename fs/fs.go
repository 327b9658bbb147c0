// Package fs is the virtual file system: the interfaces that file systems
// implement, the mount table, the directory-entry cache and the path walk.
//
// Errors are syscall.Errno values with Linux/amd64 numbers, which is also what
// FUSE speaks; they are wrapped once, at the edge, by the standard library.
package fs

import "time"

// FileSystem is one file system, ready to be mounted.
type FileSystem interface {
	// Type is the name shown in /proc/mounts: "virtiofs", "tmpfs", ...
	Type() string
	// Root returns the root directory with one reference for the caller.
	Root() Node
	// Statfs fills s.
	Statfs(s *Statfs) error
	// Sync writes back everything that the file system holds in memory.
	Sync() error
	// Close ends the file system; no call on it or its nodes may follow.
	Close() error
}

// Forever is the lifetime of an entry that only calls through this VFS change.
const Forever = time.Duration(1<<63 - 1)

// Entry is the answer to a lookup.
type Entry struct {
	// Node carries one reference for the caller. A nil Node is a negative
	// entry: the name does not exist, and that may be remembered for Valid.
	Node Node
	// Valid is how long name → Node may be trusted without asking again.
	Valid time.Duration
}

// Node is a file, directory, symbolic link or special file, whatever its names.
//
// A Node is comparable: while a reference is held, the same file is the same
// Node value. Methods that do not apply to the kind of node, or that the file
// system lacks, return ENOTDIR, EINVAL, ENOSYS, EROFS or EPERM as POSIX says
// for the call; embed Unsupported for the latter.
// The VFS checks names before it calls: never empty, ".", "..", or with a
// slash or NUL byte, and at most NameMax bytes. A name that is made (of Create,
// Mknod, Mkdir, Symlink and Link, and Rename's newName) may be kept. All others are
// parts of a path in the program's memory, which may be something else after the call.
//
// Methods are called from many goroutines at once, in one directory also for
// changes of different names. While one name is changed, nobody else asks for it
// through the same VFS; while Rename is at work, nobody for any in both directories.
type Node interface {
	// Ref adds a reference; Unref gives one back. The last Unref lets the
	// file system forget the node.
	Ref()
	Unref()

	Getattr(a *Attr) error
	// Setattr changes what s.Valid names and fills a with the result.
	Setattr(s *SetAttr, a *Attr) error

	// Lookup finds one component. A missing name is either ENOENT (which
	// must not be cached) or an Entry with a nil Node.
	Lookup(name string) (Entry, error)
	Readlink() (string, error)

	// Open opens the node. Flags are the O_ constants of Linux/amd64; the VFS
	// has already dealt with O_CREAT, O_EXCL, O_DIRECTORY and O_NOFOLLOW and
	// leaves them out. O_TRUNC and O_APPEND are passed on.
	Open(flags int) (File, error)
	// Create makes and opens a regular file that must not exist if flags has
	// O_EXCL, and may exist otherwise. mode has had the umask applied in umask
	// subtracted by the file system (which may have to send both on).
	Create(name string, flags int, mode, umask uint32) (Entry, File, error)
	Mknod(name string, mode, umask, rdev uint32) (Entry, error)
	Mkdir(name string, mode, umask uint32) (Entry, error)
	Symlink(name, target string) (Entry, error)
	// Link makes name a further name of target, a node of the same file system.
	Link(name string, target Node) (Entry, error)
	Unlink(name string) error
	Rmdir(name string) error
	// Rename moves name to newName in newDir, a directory of the same file
	// system. Flags are those that CheckRename lets pass; EINVAL: the file
	// system lacks them.
	Rename(name string, newDir Node, newName string, flags uint32) error
}

// File is an open file or directory: one open file description of POSIX. It
// keeps its node alive by itself. Positions are kept by the caller.
type File interface {
	// Getattr and Setattr act on the open file, also when it has no name left.
	Getattr(a *Attr) error
	Setattr(s *SetAttr, a *Attr) error
	// ReadAt reads up to len(p) bytes at off: fewer, or 0 with a nil error, at
	// the end of the file. Unlike io.ReaderAt there is no io.EOF.
	ReadAt(p []byte, off int64) (int, error)
	// WriteAt writes p at off. With O_APPEND off is ignored; it returns the
	// offset behind the last byte written.
	WriteAt(p []byte, off int64) (n int, end int64, err error)
	// ReadDir calls emit for the entries that follow cookie (0: the first) in
	// the directory's order until emit returns false or the end is reached.
	// "." and ".." are not among them: the VFS adds them.
	ReadDir(cookie uint64, emit func(*Dirent) bool) error
	// Fsync writes the file's data, and unless dataOnly its attributes, to
	// stable storage.
	Fsync(dataOnly bool) error
	// Flush is called at each close of a descriptor of this file.
	Flush() error
	// Release ends the open file, once.
	Release()
}

// Stream is implemented by Files without positions: pipes, consoles.
// Read blocks until there is at least one byte, and returns 0, nil at the end.
type Stream interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
}

// Dirent is a directory entry as ReadDir yields it.
type Dirent struct {
	Name string // may be a part of a long string: to be cloned by those who keep it
	Ino  uint64
	Type uint8  // the DT_ constants of dirent.h
	Next uint64 // the cookie to go on behind this entry; opaque, never 0
	// Entry, if its Node is not nil, is the looked-up entry (FUSE_READDIRPLUS)
	// with one reference, which emit takes over.
	Entry Entry
}

// Attr is what stat(2) tells of a file.
type Attr struct {
	Dev     uint64 // device number, filled by the VFS
	Ino     uint64
	Mode    uint32 // S_IFMT type and permission bits
	Nlink   uint32
	Uid     uint32
	Gid     uint32
	Rdev    uint64
	Size    int64 // bytes
	Blocks  int64 // 512-byte units
	Blksize uint32
	Atime   Time
	Mtime   Time
	Ctime   Time
}

// Time is a point in time as files carry it: seconds and nanoseconds (below
// 10^9) since 1970.
type Time struct {
	Sec  int64
	Nsec uint32
}

// Fields of SetAttr that are valid. The values are ours, not a wire format.
const (
	SetMode = 1 << iota
	SetUid
	SetGid
	SetSize
	SetAtime
	SetMtime
	SetAtimeNow
	SetMtimeNow
)

// SetAttr is a change of attributes.
type SetAttr struct {
	Valid        uint32 // Set constants
	Mode         uint32 // permission bits
	Uid, Gid     uint32
	Size         int64
	Atime, Mtime Time
}

// Statfs is what statfs(2) tells of a file system.
type Statfs struct {
	Dev     uint64 // device number, filled by the VFS
	Type    uint32 // f_type: magic number of linux/magic.h
	Bsize   uint32 // bytes
	Frsize  uint32 // bytes, the unit of the next three
	Blocks  uint64
	Bfree   uint64
	Bavail  uint64
	Files   uint64
	Ffree   uint64
	NameLen uint32
}

// Limits of POSIX as Linux sets them, in bytes.
const (
	NameMax = 255
	PathMax = 4096
)
