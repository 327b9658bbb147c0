package fusefs

import (
	"math"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// attrCache is what a node last heard of its attributes. Under node.mu.
type attrCache struct {
	attr     fs.Attr
	expires  int64  // on the clock of FS.now
	learned  int64  // when attr was taken from a reply, on the same clock
	dirty    uint8  // what calls of ours have changed since
	resizing int32  // changes under way that may move the end of the file
	changed  uint64 // FS.attrVersion when the last change of ours ended
	read     uint64 // the same at our last read

	valid time.Duration // the lifetime that the server gave last
	seen  int64         // when attr first told of the data that the file has
}

var _ fs.AttrInvalidator = (*node)(nil)

// What attrCache.dirty says not to trust.
const (
	dirtyAtime = 1 << iota
	dirtyTimes // everything but the size: a write
	dirtySize  // an append: the server knows where
	dirtyAll
)

// learn takes the attributes of a reply to a request begun at m. It returns
// ESTALE, for this and all later calls, if the file has changed its type.
func (n *node) learn(a *fuse.Attr, valid time.Duration, m mark) error {
	if a.Mode&syscall.S_IFMT != n.typ {
		n.stale.Store(true)
		return syscall.ESTALE
	}
	if a.Size > math.MaxInt64 {
		return n.fs.badReply(fuse.FUSE_GETATTR, "size", a.Size, "is beyond 2^63")
	}
	n.mu.Lock()
	if n.overtaken(m) {
		n.mu.Unlock()
		return nil
	}
	old := n.attr
	n.attr = attrOf(a)
	n.learned = n.fs.now()
	n.expires = deadline(m, valid)
	n.valid = valid
	n.dirty = 0
	if n.read > m.version {
		n.dirty = dirtyAtime
	}
	other := old.Size != n.attr.Size || old.Mtime != n.attr.Mtime || old.Ctime != n.attr.Ctime
	if other || n.seen == 0 {
		n.seen = n.learned
	}
	n.mu.Unlock()
	if other {
		n.dropData()
	}
	return nil
}

// overtaken reports whether a request sent at m may tell of the time before a
// change of ours, or before what another reply has told. n.mu is held.
func (n *node) overtaken(m mark) bool { return n.changed > m.version || n.learned >= m.time }

// dataSeen tells when the server first told of the data that the file has now,
// and how long its attributes are valid.
func (n *node) dataSeen() (at int64, valid time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.seen, n.valid
}

// keepsLong reports whether the server lets attributes live long enough for
// data to be kept.
func (n *node) keepsLong() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.valid >= minLifetime
}

// wasRead notes that a read of ours has reached the server and brought size
// bytes. It makes nothing untrue but the access time.
func (n *node) wasRead(size int) {
	if size == 0 || n.fs.opts.NoAtime {
		return
	}
	n.mu.Lock()
	n.dirty |= dirtyAtime
	n.read = n.fs.attrVersion.Add(1)
	n.mu.Unlock()
}

// learnChange is learn for the reply to a request, begun at m, that has itself
// changed the file.
func (n *node) learnChange(a *fuse.Attr, valid time.Duration, m mark) error {
	n.mu.Lock()
	alone := !n.overtaken(m)
	n.changed = n.fs.attrVersion.Add(1)
	n.dirty |= dirtyAll
	if alone {
		m.version = n.changed
	}
	n.mu.Unlock()
	return n.learn(a, valid, m)
}

// changedHere notes that a call of ours has changed the file: what dirty says
// of the attributes heard before is not to be trusted, and nothing of those
// under way.
func (n *node) changedHere(dirty uint8) {
	n.mu.Lock()
	n.dirty |= dirty
	n.changed = n.fs.attrVersion.Add(1)
	n.mu.Unlock()
}

// cached fills a if the attributes are known and still to be trusted.
func (n *node) cached(a *fs.Attr) bool {
	now := n.fs.now()
	n.mu.Lock()
	ok := n.dirty == 0 && now < n.expires && n.resizing == 0
	gift := ok && n.gift
	if ok {
		*a = n.attr
		n.gift = false
	}
	n.mu.Unlock()
	if gift {
		n.fs.plus.add(plusUsed, plusHigh)
	}
	return ok
}

// give notes that the attributes came without anybody having asked for them.
func (n *node) give() {
	n.mu.Lock()
	n.gift = true
	n.mu.Unlock()
}

// size returns the last known size, and whether that counts: the server's
// lifetime for it runs, and no call of ours moves the end of the file.
func (n *node) size() (size int64, fresh bool) {
	now := n.fs.now()
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.attr.Size, n.sizeKnown(now)
}

// sizeKnown reports whether attr has the size of the file. n.mu is held.
func (n *node) sizeKnown(now int64) bool {
	return n.dirty&(dirtyAll|dirtySize) == 0 && now < n.expires && n.resizing == 0
}

// InvalidateAttr makes the next Getattr ask the server: for callers who know
// that an operation on a name, such as Unlink, has changed this node.
func (n *node) InvalidateAttr() { n.changedHere(dirtyAll) }

func attrOf(a *fuse.Attr) fs.Attr {
	return fs.Attr{
		Ino: a.Ino, Mode: a.Mode, Nlink: a.Nlink, Uid: a.Uid, Gid: a.Gid,
		Rdev: uint64(a.Rdev), Size: int64(a.Size), Blocks: int64(a.Blocks), Blksize: a.Blksize,
		Atime: timeOf(a.Atime, a.Atimensec),
		Mtime: timeOf(a.Mtime, a.Mtimensec),
		Ctime: timeOf(a.Ctime, a.Ctimensec),
	}
}

func timeOf(sec uint64, nsec uint32) fs.Time {
	return fs.Time{Sec: int64(sec), Nsec: min(nsec, 999999999)}
}
