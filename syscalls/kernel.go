// Package syscalls is what the standard library's package syscall stands on:
// the descriptor table, the working directory and the file system calls of
// Linux, over the VFS of package fs.
//
// Methods of Kernel are named and behave like Linux's calls; they return an
// errno, 0 for success. What does not exist answers ENOSYS.
package syscalls

import (
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/anonfs"
	"github.com/yolkos/yolk/fs/socket"
)

// Kernel serves the system calls of the one process that there is. Its
// methods may be called from many goroutines.
type Kernel struct {
	vfs   *fs.VFS
	table table
	umask atomic.Uint32
	locks locks
	maps  mappings

	maxSize atomic.Uint64 // of files that are written, and 1 (RLIMIT_FSIZE); 0: no limit

	signals signals
	itimer  itimer
	process process
	inotify inotifyUse
	shm     segments
	futexes futexes

	membarrier atomic.Bool // the program has registered for membarrier

	lastDesc atomic.Uint64
	missed   missed

	reads, writes transfers

	anon         *fs.Mount // of eventfds and their like
	sockets      sockets
	memfds       *fs.Mount // of MemfdCreate; under places, nil: none was made yet
	realtimeSets anonfs.Sets

	// places guards memfds, and root and cwd, which have a reference each.
	places   sync.RWMutex
	root     *fs.Dentry // nil: that of the VFS
	cwd      *fs.Dentry // nil: the root of the VFS
	chrooted atomic.Bool

	// FileSystems makes a file system for Mount by its type. It is set before
	// the first call and may be nil.
	FileSystems func(fstype, source, data string) (fs.FileSystem, error)
	// Families are who makes sockets, by the number of the address family (AF_INET,
	// ...), set likewise; one that is not there is EAFNOSUPPORT.
	Families map[int]socket.Family
	// NetworkFiles are those of /proc/net that tell something, by name: each appends its
	// contents. Set likewise.
	NetworkFiles map[string]func(b []byte) []byte
	// Name is the name of the host, set likewise.
	Name string
	// Program takes the signals that nothing else holds back, set likewise;
	// without it, they are lost.
	Program Program
	// Machine is below the calls on the whole system, set likewise.
	Machine Machine
	// Memory is what Mmap maps with, set likewise; without it, ENODEV.
	Memory Memory
	// Random fills its argument with random bytes, set likewise.
	Random func(p []byte) error
	// MapLimit is how many bytes of pages mappings of files may take, MemoryTotal
	// how many bytes of memory there are; 0: no limit.
	MapLimit, MemoryTotal int64
}

// New makes a Kernel over v, with no descriptor open, the root as working
// directory and a umask of 022.
func New(v *fs.VFS) *Kernel {
	k := &Kernel{vfs: v, anon: v.Internal(anonfs.FS{}), Machine: noMachine{time.Now()}, Families: map[int]socket.Family{},
		NetworkFiles: map[string]func([]byte) []byte{}}
	k.process.init()
	k.maps.kernel = k
	k.umask.Store(0o022)
	k.table.init()
	return k
}

// VFS is the file system tree that k works on.
func (k *Kernel) VFS() *fs.VFS { return k.vfs }

// errno gives err's number: EIO for an error without one.
func errno(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	if e, ok := err.(syscall.Errno); ok {
		return e
	}
	var e syscall.Errno
	if errors.As(err, &e) {
		return e
	}
	return syscall.EIO
}

// base says where path starts for a call with dirfd. done gives back what it
// holds.
func (k *Kernel) base(dirfd int, path string) (b base, err syscall.Errno) {
	absolute := len(path) > 0 && path[0] == '/'
	if k.chrooted.Load() || !absolute && dirfd == AT_FDCWD {
		k.places.RLock()
		if b.Root = k.root; b.Root != nil {
			b.Root.Ref()
		}
		if !absolute && dirfd == AT_FDCWD {
			if b.Dir = k.cwd; b.Dir != nil {
				b.Dir.Ref()
			}
		}
		k.places.RUnlock()
	}
	if absolute || dirfd == AT_FDCWD {
		return b, 0
	}
	d, err := k.table.get(dirfd)
	if err != 0 {
		b.done()
		if e := fs.CheckPath(path); e != nil { // comes first in Linux
			err = errno(e)
		}
		return b, err
	}
	b.Dir = d.dentry
	b.Dir.Ref()
	d.put()
	return b, 0
}

type base struct{ fs.Base }

func (b *base) done() {
	if b.Root != nil {
		b.Root.Put()
	}
	if b.Dir != nil {
		b.Dir.Put()
	}
}
