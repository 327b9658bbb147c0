// Package fusefs is the FUSE client: a file system whose files a server keeps,
// reached through a fuse.Transport. The server is not trusted: a reply that
// breaks the protocol is logged with the device and the field, and the
// operation ends with EIO.
//
// Layers: conn.go (one request and its reply), again.go (which are sent again),
// init.go (negotiation), table.go, submount.go and forget.go (nodes and their
// lookup counts), attrcache.go, and above them the operations by theme.
//
// pagecache.go keeps file data, within a bound for all files together;
// filedata.go has the rules by which it goes, fill.go and readcache.go bring it.
//
// Locks, outermost first: dirFile.mu, node.io, FS.table.mu, node.mu; and
// fileData.mu, pageCache.mu. Forget and release queues are leaves. No lock but
// dirFile.mu and node.io is held while a request is under way.
package fusefs

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// Options of Mount. The zero value is right for a guest whose one user is root.
type Options struct {
	// Type is what FS.Type returns; empty stands for "virtiofs".
	Type string
	// Uid, Gid and Pid are the caller that requests name, until SetCaller.
	Uid, Gid, Pid uint32
	// Logf, if not nil, gets one line for each broken reply.
	Logf func(format string, args ...any)
	// Without holds INIT flags (fuse.FUSE_ constants) not to be offered.
	Without uint64
	// MaxReadahead is offered to the server, in bytes; 0 stands for 1 MiB.
	MaxReadahead uint32
	// NoAtime lets Getattr answer from the cache after a read of the file,
	// with the access time of before.
	NoAtime bool
	// CacheSize is how much file data is kept at most, in bytes: a part of the
	// machine's memory. 0 stands for DefaultCacheSize, less than 0 for none.
	CacheSize int64
	// MaxFiles is how many descriptors the server may have; 0: not known.
	MaxFiles int
}

// FS is a mounted FUSE file system.
type FS struct {
	t       fuse.Transport
	starter fuse.Starter // t, if it is one
	opts    Options
	base    time.Time // the clock of all lifetimes counts from here
	session session

	uid, gid, pid atomic.Uint32

	unique   atomic.Uint64
	requests sync.Pool // *request
	dirBufs  sync.Pool // *[dirBufSize]byte
	closed   atomic.Bool
	broken   atomic.Uint64 // replies that broke the protocol

	nosys     [fuse.OpcodeCount]atomic.Bool // operations answered with ENOSYS
	stats     [fuse.OpcodeCount]opStats
	measuring atomic.Bool // times too

	plus        plusPolicy
	table       nodeTable
	attrVersion atomic.Uint64
	told        atomic.Pointer[func()] // of changes of ours; nil: nobody
	forgets     forgetQueue
	files       fileLimit
	started     slots
	pages       pageCache
	releases    releaseQueue
	window      window
	root        *node
}

var (
	_ fs.FileSystem = (*FS)(nil)
	_ fs.StatfsNode = (*node)(nil)
)

// Mount starts the protocol with the server behind t. It fails if the server
// does not answer, speaks another major version than 7, or one before 7.12.
func Mount(t fuse.Transport, opts Options) (*FS, error) {
	f := &FS{t: t, opts: opts, base: time.Now()}
	f.starter, _ = t.(fuse.Starter)
	if f.opts.Type == "" {
		f.opts.Type = "virtiofs"
	}
	if f.opts.MaxReadahead == 0 {
		f.opts.MaxReadahead = 1 << 20
	}
	f.files.max.Store(int64(opts.MaxFiles))
	f.SetCaller(opts.Uid, opts.Gid, opts.Pid)
	f.requests.New = func() any { return new(request) }
	f.dirBufs.New = func() any { return new([dirBufSize]byte) }
	if err := f.negotiate(); err != nil {
		return nil, err
	}
	if f.opts.CacheSize == 0 {
		f.opts.CacheSize = DefaultCacheSize
	}
	if f.opts.CacheSize < 4*blockSize || f.session.maxRead < blockSize {
		f.opts.CacheSize = 0
	}
	f.pages.init(f.opts.CacheSize)
	f.root = newNode(f, fuse.FUSE_ROOT_ID, 0, syscall.S_IFDIR)
	f.table.m = map[uint64]*node{fuse.FUSE_ROOT_ID: f.root}
	return f, nil
}

// SetCaller sets the user, group and process that further requests name.
func (f *FS) SetCaller(uid, gid, pid uint32) {
	f.uid.Store(uid)
	f.gid.Store(gid)
	f.pid.Store(pid)
}

// Type implements fs.FileSystem.
func (f *FS) Type() string { return f.opts.Type }

// Root implements fs.FileSystem.
func (f *FS) Root() fs.Node {
	f.root.Ref()
	return f.root
}

// Sync asks the server to write back what it holds (SYNCFS, from 7.34 on), of
// each of its file systems.
func (f *FS) Sync() error {
	if f.session.minor < 34 {
		return nil
	}
	var first error
	for _, n := range f.mountRoots() {
		if err := n.syncfs(); err != nil && first == nil {
			first = err
		}
		n.Unref()
	}
	return first
}

func (n *node) syncfs() error {
	f := n.fs
	if f.nosys[fuse.FUSE_SYNCFS].Load() {
		return nil
	}
	r := f.request(fuse.FUSE_SYNCFS, n.id)
	in := fuse.SyncfsIn{}
	r.buf = in.AppendTo(r.buf)
	_, err := f.call(r, 0)
	f.done(r)
	return f.optional(fuse.FUSE_SYNCFS, err)
}

// Close waits for the releases under way and sends DESTROY, which ends all
// lookup counts.
func (f *FS) Close() error {
	f.releases.finish()
	f.flushForgets()
	r := f.request(fuse.FUSE_DESTROY, 0)
	_, err := f.call(r, 0)
	f.done(r)
	f.closed.Store(true)
	if err == syscall.ENOSYS {
		return nil
	}
	return err
}

// fuseSuperMagic is FUSE_SUPER_MAGIC of linux/magic.h.
const fuseSuperMagic = 0x65735546

// Statfs implements fs.FileSystem.
func (f *FS) Statfs(s *fs.Statfs) error { return f.root.Statfs(s) }

// Statfs tells of the file system of the server that holds n, with what was
// freed here.
func (n *node) Statfs(s *fs.Statfs) error {
	n.fs.settle()
	r := n.fs.request(fuse.FUSE_STATFS, n.id)
	defer n.fs.done(r)
	body, err := n.fs.call(r, fuse.StatfsOutSize)
	if err != nil {
		return err
	}
	var out fuse.StatfsOut
	if err := out.Decode(body); err != nil {
		return syscall.EIO
	}
	st := &out.St
	*s = fs.Statfs{
		Type: fuseSuperMagic, Bsize: st.Bsize, Frsize: st.Frsize,
		Blocks: st.Blocks, Bfree: st.Bfree, Bavail: st.Bavail,
		Files: st.Files, Ffree: st.Ffree, NameLen: st.Namelen,
	}
	if s.Frsize == 0 {
		s.Frsize = s.Bsize
	}
	return nil
}

// now is the time on the clock of lifetimes, in nanoseconds.
func (f *FS) now() int64 { return int64(time.Since(f.base)) }
