package fusefs

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// fileLimit keeps the server within the files that it may have open. A server
// such as virtiofsd has a descriptor for every node that the client has not
// forgotten, and one for every open file.
type fileLimit struct {
	nodes   atomic.Int64 // that the server counts lookups of
	handles atomic.Int64
	forgot  atomic.Uint64 // nodes so far
	max     atomic.Int64  // of both together; 0: not known
	// reclaim has up to n nodes forgotten that nobody uses. nil: nobody keeps any.
	reclaim atomic.Pointer[func(n int) int]
	mu      sync.Mutex // one reclaims at a time
}

var _ fs.Reclaimer = (*FS)(nil)

// SetReclaim implements fs.Reclaimer.
func (f *FS) SetReclaim(reclaim func(n int) int) { f.files.reclaim.Store(&reclaim) }

// reserve is how much of a limit is left free for requests under way: one
// READDIRPLUS may bring 400 nodes.
func reserve(limit int64) int64 { return max(limit/32, min(512, limit/4)) }

// makeRoom has nodes forgotten before a request of op would bring the server
// over the limit.
func (f *FS) makeRoom(op uint32) {
	l := &f.files
	limit := l.max.Load()
	if limit == 0 {
		return
	}
	switch op {
	case fuse.FUSE_LOOKUP, fuse.FUSE_READDIRPLUS, fuse.FUSE_OPEN, fuse.FUSE_OPENDIR, fuse.FUSE_CREATE,
		fuse.FUSE_MKNOD, fuse.FUSE_MKDIR, fuse.FUSE_SYMLINK, fuse.FUSE_LINK, fuse.FUSE_TMPFILE:
	default:
		return
	}
	spare := reserve(limit)
	if l.nodes.Load()+l.handles.Load() > limit-spare && l.mu.TryLock() {
		l.shrink(limit - 2*spare)
		l.mu.Unlock()
	}
}

// shrink has nodes forgotten until there are no more than to nodes and handles,
// and returns how many. l.mu is held.
func (l *fileLimit) shrink(to int64) int {
	reclaim := l.reclaim.Load()
	n := l.nodes.Load() + l.handles.Load() - to
	if reclaim == nil || n <= 0 {
		return 0
	}
	return (*reclaim)(int(n))
}

// maxRetries is how often a request is sent again that the server had no
// descriptors for, with waits of 1 ms, 2 ms, 4 ms ... before.
const maxRetries = 8

// retry tells if a request of op that ended with err should be sent again.
// The server was out of descriptors: what it was told to forget comes first,
// for nobody knows when it has got round to that.
func (f *FS) retry(op uint32, err error, tries int) bool {
	if err != syscall.EMFILE && err != syscall.ENFILE {
		return false
	}
	l := &f.files
	l.mu.Lock()
	limit := l.nodes.Load() + l.handles.Load()
	if err == syscall.EMFILE && (l.max.Load() == 0 || limit < l.max.Load()) {
		l.max.Store(max(limit, minFiles))
	}
	freed := l.shrink(limit - 2*reserve(max(limit, minFiles)))
	l.mu.Unlock()
	switch op {
	case fuse.FUSE_CREATE, fuse.FUSE_MKNOD, fuse.FUSE_MKDIR, fuse.FUSE_SYMLINK, fuse.FUSE_LINK, fuse.FUSE_TMPFILE:
		return false // the server may have made the file before it ran out
	}
	if tries >= maxRetries || freed == 0 && tries > maxRetries/2 {
		return false
	}
	time.Sleep(time.Millisecond << tries)
	return true
}

// minFiles is the least limit that is learned from an EMFILE.
const minFiles = 64

// Counts tells what the server keeps for this client, and what it has been
// told to forget.
type Counts struct {
	Nodes   int    // known to the server by a lookup
	Handles int    // open files and directories
	Forgot  uint64 // nodes forgotten so far
	Limit   int    // of Nodes and Handles together; 0: not known
}

// Counts returns the counters of nodes and handles.
func (f *FS) Counts() Counts {
	l := &f.files
	return Counts{int(l.nodes.Load()), int(l.handles.Load()), l.forgot.Load(), int(l.max.Load())}
}
