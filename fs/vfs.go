package fs

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// VFS is a tree of mounted file systems under one root.
//
// Its methods take a Base, where relative paths start, and a path; they may be
// called from many goroutines. Errors are syscall.Errno values.
type VFS struct {
	root  *Mount
	pipes *Mount // where pipes lie; not in the table of mounts
	// fallback is of what the tree lacks; not in the table either. See SetFallback.
	fallback Mount
	covered  map[string]string // names for which it wins, with their directories. See Cover.
	covering Mount             // of the fallback's files by these names

	mounts struct {
		sync.Mutex
		list     []*Mount // in the order of mounting
		detached []*Mount // out of the tree, and in use
		internal int      // how many there are besides
		lastID   uint32
	}
	names  nameLocks
	tree   sync.RWMutex // parent and name of every Dentry
	cache  cache
	lastID atomic.Uint64 // of dentries

	devices devices
	fifos   fifos
	watches watches
	host    hostWatches
}

// Base is where the walk of a path begins. The caller holds a reference on
// both for the length of the call; nil stands for the root of the VFS.
type Base struct {
	Root *Dentry // of absolute paths; ".." does not lead above it
	Dir  *Dentry // of relative paths

	Resolve Resolve // where the path may lead
}

// Resolve bounds where a path may lead: RESOLVE_ of openat2(2).
type Resolve uint8

const (
	ResolveNoXdev       Resolve = 0x01 // not into another mount: EXDEV
	ResolveNoMagiclinks Resolve = 0x02 // over no Jumper: ELOOP
	ResolveNoSymlinks   Resolve = 0x04 // over no link: ELOOP
	ResolveBeneath      Resolve = 0x08 // not out of Dir, not by way of somewhere else either: EXDEV
	ResolveInRoot       Resolve = 0x10 // Dir is the root
)

// epoch is what lifetimes of entries are counted from; on the monotonic clock.
var epoch = time.Now()

func now() int64 { return int64(time.Since(epoch)) }

// Now is the time on the clock of SharedNode, in nanoseconds.
func Now() int64 { return now() }

// errno gives the number in err, as no error of this package wraps one.
func errno(err error) syscall.Errno {
	e, _ := err.(syscall.Errno)
	return e
}
