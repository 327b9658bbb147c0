package fusefs

import (
	"sync"
	"sync/atomic"
	"syscall"

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
	shrunk  atomic.Uint64 // how often nodes had to be forgotten
	max     atomic.Int64  // of both together; 0: not known
	// reclaim has up to n nodes forgotten that nobody uses. nil: nobody keeps any.
	reclaim atomic.Pointer[func(n int) int]
	mu      sync.Mutex // of who reclaims; requests with an answer do not take it
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
		f.shrinkFiles(limit - 2*spare)
		l.mu.Unlock()
	}
}

// shrinkFiles has nodes forgotten until there are no more than to nodes and
// handles, waits until the server has done so, and returns how many. l.mu is
// held.
func (f *FS) shrinkFiles(to int64) (n int) {
	l := &f.files
	reclaim := l.reclaim.Load()
	if over := l.nodes.Load() + l.handles.Load() - to; reclaim != nil && over > 0 {
		n = (*reclaim)(int(over))
	}
	l.shrunk.Add(1)
	if n > 0 {
		f.drain()
	}
	return n
}

// maxRetries is how often a request is sent again that the server had no
// descriptors for.
const maxRetries = 8

// findFiles is for a request of op that ended with err, EMFILE or ENFILE: the
// server was out of descriptors, which tells how many it has. It reports whether
// there may be some now.
func (f *FS) findFiles(op uint32, err error, a *attempt) bool {
	l := &f.files
	l.mu.Lock()
	defer l.mu.Unlock()
	freed := 1
	switch {
	case l.shrunk.Load() != a.shrunk: // by someone else, meanwhile
	case a.tries == 1:
		f.settle() // perhaps it has only not got round to it
	default:
		used := max(l.nodes.Load()+l.handles.Load(), minFiles)
		_, sure := f.t.(fuse.Drainer) // else there may be more in use than this
		// ENFILE may be the server's own limit, or come of others on its host.
		limit := l.max.Load()
		if sure && (limit == 0 || used < limit && (err == syscall.EMFILE || used > limit/2)) {
			l.max.Store(used)
		}
		freed = f.shrinkFiles(used - 2*reserve(used))
	}
	switch op {
	case fuse.FUSE_CREATE, fuse.FUSE_MKNOD, fuse.FUSE_MKDIR, fuse.FUSE_SYMLINK, fuse.FUSE_LINK, fuse.FUSE_TMPFILE:
		return false // the server may have made the file before it ran out
	}
	return freed > 0 && a.tries <= maxRetries
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
