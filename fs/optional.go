package fs

import "syscall"

// The interfaces below are for what only some file systems have. A caller asks
// for them with a type assertion and answers with the error named where it
// fails. An implementation returns that error too, where it finds out only
// later (from its server) that it lacks the operation.

// UnseenNode is a directory whose file system is far away and tells by itself
// that a name exists: Mkdir, Mknod and Symlink, and Create with O_EXCL, answer
// EEXIST. A name of which nothing is known is not looked up before them.
type UnseenNode interface{ MakesUnseen() }

// XattrNode is a Node with extended attributes. Else: EOPNOTSUPP.
type XattrNode interface {
	// Getxattr fills dst with the value of name and returns its length. With
	// an empty dst it returns the length only; with one too small, ERANGE.
	// ENODATA: there is no such attribute.
	Getxattr(name string, dst []byte) (int, error)
	// Setxattr sets name; flags are XATTR_CREATE (1) and XATTR_REPLACE (2).
	Setxattr(name string, value []byte, flags int) error
	// Listxattr is as Getxattr for the names, each with a NUL behind it.
	Listxattr(dst []byte) (int, error)
	Removexattr(name string) error
}

// XattrMax is the longest value and the longest list of names, in bytes.
const XattrMax = 64 << 10

// ReadXattr returns the value of name, or with an empty name the list of
// names, however it changes between asking for the size and for the bytes.
func ReadXattr(n XattrNode, name string) ([]byte, error) {
	get := func(dst []byte) (int, error) {
		if name == "" {
			return n.Listxattr(dst)
		}
		return n.Getxattr(name, dst)
	}
	for range 16 {
		size, err := get(nil)
		if err != nil || size == 0 {
			return nil, err
		}
		buf := make([]byte, size)
		size, err = get(buf)
		if err == nil {
			return buf[:size], nil
		}
		if err != syscall.ERANGE {
			return nil, err
		}
	}
	return nil, syscall.ERANGE
}

// Seals of SealFile, as of fcntl(2).
const (
	SealSeal        = 0x01
	SealShrink      = 0x02
	SealGrow        = 0x04
	SealWrite       = 0x08
	SealFutureWrite = 0x10 // is for the caller to keep: mappings go on writing
	SealExec        = 0x20
)

// SealFile is a File that can be sealed against changes. Else: EINVAL.
type SealFile interface {
	Seals() uint32
	// AddSeals adds seals. EPERM: the file has SealSeal.
	AddSeals(seals uint32) error
	// InitSeals sets the seals of a file that nobody knows of yet.
	InitSeals(seals uint32)
}

// Types of Lock, as of fcntl(2).
const (
	ReadLock  = 0 // F_RDLCK
	WriteLock = 1 // F_WRLCK
	Unlock    = 2 // F_UNLCK
)

// ProcessOwner is the owner of the locks of fcntl(2): the program, all of it.
const ProcessOwner = 1

// Lock is a lock on bytes of a file.
type Lock struct {
	Type       int
	Start, End int64 // first and last byte; an End of 1<<63-1 is without end
	Pid        uint32
}

// LockFile is a File whose locks somebody else has to know of: other clients
// of the same server. Else, and with ENOSYS: the caller keeps locks itself.
type LockFile interface {
	// Getlk replaces l by a lock that is in its way, or sets l.Type to Unlock.
	Getlk(owner uint64, l *Lock) error
	// Setlk sets or removes a lock. If another one is in its way, it waits if
	// wait is set, until cancel is closed (EINTR), else it returns EAGAIN. The
	// locks of ProcessOwner go at the first Flush of the file.
	Setlk(owner uint64, l *Lock, wait bool, cancel <-chan struct{}) error
	// Flock takes a lock of the open file, as flock(2) does: ReadLock,
	// WriteLock or Unlock. It goes with Release.
	Flock(kind int, wait bool, cancel <-chan struct{}) error
}

// Modes of FallocateFile: the FALLOC_FL_ constants of linux/falloc.h.
const (
	FallocKeepSize = 0x01
	FallocPunch    = 0x02
	FallocCollapse = 0x08
	FallocZero     = 0x10
	FallocInsert   = 0x20
	FallocUnshare  = 0x40
)

// FallocateFile is a File that can reserve and release space. Else:
// EOPNOTSUPP.
type FallocateFile interface {
	Fallocate(mode uint32, off, length int64) error
}

// Whence values of SeekHoleFile, as of lseek(2).
const (
	SeekData = 3
	SeekHole = 4
)

// SeekHoleFile is a File that knows its holes. SeekHole returns the first
// offset at or behind off where data (SeekData) or a hole (SeekHole) starts;
// the end of the file is a hole. ENXIO: off is at or behind the end, or there
// is no more data. Else: the whole file is data.
type SeekHoleFile interface {
	SeekHole(off int64, whence int) (int64, error)
}

// SeekFile is a File whose positions follow other rules than those of bytes in
// storage. SeekFrom returns where lseek(2), with a valid whence, leads a file that
// stands at pos. Else: by the size, and SeekHoleFile.
type SeekFile interface {
	SeekFrom(pos, off int64, whence int) (int64, error)
}

// CopyFile is a File that can copy to another of its file system without the
// bytes passing through here. CopyTo returns how many it copied, 0 at the end
// of the file. EXDEV, EOPNOTSUPP, and else: read and write.
type CopyFile interface {
	CopyTo(off int64, dst File, dstOff, length int64) (int64, error)
}

// TmpfileNode is a directory that can make files without a name (O_TMPFILE).
// Else: EOPNOTSUPP. Entry.Node may be linked to a name later, unless flags
// has O_EXCL.
type TmpfileNode interface {
	Tmpfile(flags int, mode, umask uint32) (Entry, File, error)
}

// AccessNode is a Node whose file system decides who may do what. Mask is of
// 4 (read), 2 (write) and 1 (execute). Else: by mode and owner.
type AccessNode interface {
	Access(mask uint32) error
}

// Statx is what statx(2) tells beyond Attr. The masks are its STATX_ and
// STATX_ATTR_ constants.
type Statx struct {
	Attr
	Mask           uint32 // what is valid
	Attributes     uint64
	AttributesMask uint64 // which Attributes are known
	Btime          Time   // of birth
}

// StatxNode is a Node or File that knows more than Attr. Else: Getattr.
type StatxNode interface {
	Statx(s *Statx, mask uint32) error
}

// StatfsNode is a Node that may lie in another file system of the server than
// its root. Else: FileSystem.Statfs.
type StatfsNode interface {
	Statfs(s *Statfs) error
}

// SubmountNode is a Node of a file system that spans several of its server, with
// inode numbers of their own. Submount is 0 in that of the root, and another
// number in each other one.
type SubmountNode interface {
	Submount() uint32
}

// SharedSystem is a FileSystem that others change, too: on the host. Its nodes
// are SharedNodes.
type SharedSystem interface {
	// TellChanges has told called whenever a change of ours, or a release, has
	// ended that a SharedNode tells of; nil: no more. It does not block.
	TellChanges(told func())
	// Settle returns when the server knows of all that was closed before.
	Settle()
	// AllOutdated is Outdated of all nodes.
	AllOutdated()
}

// SharedNode is a node of a SharedSystem. Times are those of Now.
type SharedNode interface {
	// Changing notes a change of the file by way of its names, until done.
	// Other changes the file system notes by itself.
	Changing() (done func())
	// Changed tells whether a change of ours is under way, and when the last
	// one ended; 0: none was noted.
	Changed() (underWay bool, last int64)
	// Closed is the same for the closing of files that were open for writing.
	Closed() (underWay bool, last int64)
	// Outdated says that the file may have changed on the host.
	Outdated()
}

// AttrInvalidator is a Node that caches attributes. Who changes a node by way
// of a name (Unlink, Rmdir, Rename, which are told of the name only) calls it
// for the node that had the name.
type AttrInvalidator interface {
	InvalidateAttr()
}

// IoctlFile is a File with device-specific controls. In is what arg points to
// if the command takes data, out the room for what it gives; n bytes of out
// are filled. A command of old that does not say which it does has both. Else: ENOTTY.
type IoctlFile interface {
	Ioctl(cmd uint32, arg uint64, in, out []byte) (result int32, n int, err error)
}

// Events of PollFile, as of poll(2).
const (
	PollIn     = 0x1
	PollPri    = 0x2
	PollOut    = 0x4
	PollErr    = 0x8
	PollHup    = 0x10
	PollNval   = 0x20
	PollRdNorm = 0x40
	PollWrNorm = 0x100
	PollRdHup  = 0x2000
)

// ReadableFile is a File without positions that knows how many bytes there are to
// be read, as of FIONREAD. Else: ENOTTY.
type ReadableFile interface {
	Readable() (int, error)
}

// PollFile is a File that may not be ready. Poll returns those of events that
// hold now. Else: always ready for reading and writing.
type PollFile interface {
	Poll(events uint32) (uint32, error)
}

// FdinfoFile is a File that has lines of its own in /proc/self/fdinfo.
type FdinfoFile interface {
	Fdinfo(b []byte) []byte
}

// BmapNode is a Node that knows where its blocks lie on the device below it.
// Else: EINVAL.
type BmapNode interface {
	Bmap(block uint64, blocksize uint32) (uint64, error)
}

// MapFile is a File whose bytes can be mapped into memory rather than copied
// there. ENODEV, ENOMEM, and else: read it.
type MapFile interface {
	// Map maps length bytes at off, which is a multiple of 4096. Reading or
	// writing behind the end of the file is a fault of the machine.
	Map(off, length int64, write bool) (Mapping, error)
}

// Mapping is a mapped part of a file. It outlives the File.
type Mapping interface {
	Bytes() []byte
	// Unmap ends the mapping, after which Bytes must not be touched.
	Unmap() error
}

// Reclaimer is a FileSystem that can keep a limited number of nodes, by what its
// server has, not by the memory here.
type Reclaimer interface {
	// SetReclaim is called by a VFS that mounts it. The file system may call
	// reclaim to have references given back of up to n nodes that nobody
	// uses; the result is how many names of such were forgotten. It holds
	// no lock meanwhile that Unref takes.
	SetReclaim(reclaim func(n int) int)
}

// Unreffer is a FileSystem that lets go of many nodes at once with less effort
// than one by one.
type Unreffer interface {
	// UnrefAll gives one reference back for each of nodes. It keeps none of
	// the slice.
	UnrefAll(nodes []Node)
}
