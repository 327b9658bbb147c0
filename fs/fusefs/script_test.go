package fusefs

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// script is a Transport whose replies the test writes by hand.
type script struct {
	mu    sync.Mutex
	init  fuse.InitOut
	ops   map[uint32]func(*call)
	alter func(*call) // may spoil any reply but that of INIT
	sent  []uint32    // operations, in order
	log   []string
	bytes map[uint64][]byte // contents by nodeid
}

// call is a request and the reply to it.
type call struct {
	fuse.InHeader
	args  []byte
	room  int // bytes for the whole reply
	reply []byte
	used  int // what the device says that it wrote
	err   error
}

func (c *call) ok(body []byte) {
	h := fuse.OutHeader{Len: uint32(fuse.OutHeaderSize + len(body)), Unique: c.Unique}
	c.reply = append(h.AppendTo(nil), body...)
	c.used = len(c.reply)
}

func (c *call) errno(e syscall.Errno) {
	h := fuse.OutHeader{Len: fuse.OutHeaderSize, Error: -int32(e), Unique: c.Unique}
	c.reply = h.AppendTo(nil)
	c.used = len(c.reply)
}

// setHeader changes the header of the reply.
func (c *call) setHeader(change func(*fuse.OutHeader)) {
	var h fuse.OutHeader
	h.Decode(c.reply)
	change(&h)
	h.AppendTo(c.reply[:0])
}

func (s *script) Name() string { return "virtiofs test (script)" }

func (s *script) RoundTrip(in, out [][]byte) (int, error) {
	msg := join(in)
	c := &call{}
	c.Decode(msg)
	c.args = msg[fuse.InHeaderSize:]
	for _, p := range out {
		c.room += len(p)
	}
	s.mu.Lock()
	s.sent = append(s.sent, c.Opcode)
	f := s.ops[c.Opcode]
	s.mu.Unlock()
	switch {
	case f != nil:
		f(c)
	case c.Opcode == fuse.FUSE_INIT:
		c.ok(s.init.AppendTo(nil))
	default:
		c.errno(syscall.ENOSYS)
	}
	if s.alter != nil && c.Opcode != fuse.FUSE_INIT {
		s.alter(c)
	}
	rest := c.reply
	for _, p := range out {
		rest = rest[copy(p, rest):]
	}
	return c.used, c.err
}

func (s *script) Send(in [][]byte) error {
	var h fuse.InHeader
	h.Decode(join(in))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, h.Opcode)
	if f := s.ops[h.Opcode]; f != nil {
		f(&call{InHeader: h, args: join(in)[fuse.InHeaderSize:]})
	}
	return nil
}

// number returns how often op was sent.
func (s *script) number(op uint32) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, o := range s.sent {
		if o == op {
			n++
		}
	}
	return n
}

func (s *script) logf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, fmt.Sprintf(format, args...))
}

// takeLog returns the log so far and empties it.
func (s *script) takeLog() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := strings.Join(s.log, "\n")
	s.log = nil
	return l
}

// Nodes of newScript's server.
const (
	idFile = 2
	idLink = 3
	idDir  = 4
)

const grantAll = ^uint64(0)

// newScript is a server with a file "f", a link "l" and a directory "d",
// which does what it is told and keeps nothing.
func newScript(flags uint64) *script {
	s := &script{ops: map[uint32]func(*call){}}
	s.init = fuse.InitOut{
		Major: 7, Minor: 41, MaxReadahead: 1 << 17, Flags: uint32(flags), Flags2: uint32(flags >> 32),
		MaxWrite: 1 << 20, MaxPages: 256, TimeGran: 1,
	}
	entry := func(c *call) { c.ok(entryFor(c).AppendTo(nil)) }
	for _, op := range []uint32{fuse.FUSE_LOOKUP, fuse.FUSE_MKNOD, fuse.FUSE_MKDIR, fuse.FUSE_SYMLINK, fuse.FUSE_LINK} {
		s.ops[op] = entry
	}
	create := func(c *call) {
		c.ok((&fuse.OpenOut{Fh: 11}).AppendTo(entryOf(idFile, syscall.S_IFREG|0o644).AppendTo(nil)))
	}
	s.ops[fuse.FUSE_CREATE], s.ops[fuse.FUSE_TMPFILE] = create, create
	attr := func(c *call) { c.ok((&fuse.AttrOut{Attr: attrFor(c.Nodeid)}).AppendTo(nil)) }
	s.ops[fuse.FUSE_GETATTR], s.ops[fuse.FUSE_SETATTR] = attr, attr
	s.ops[fuse.FUSE_STATX] = func(c *call) {
		c.ok((&fuse.StatxOut{Stat: fuse.Statx{Mask: 0xfff, Mode: syscall.S_IFREG | 0o644, Size: 5,
			Btime: fuse.SxTime{TvSec: 77, TvNsec: 88}}}).AppendTo(nil))
	}
	open := func(c *call) { c.ok((&fuse.OpenOut{Fh: 11}).AppendTo(nil)) }
	s.ops[fuse.FUSE_OPEN], s.ops[fuse.FUSE_OPENDIR] = open, open
	s.ops[fuse.FUSE_READLINK] = func(c *call) { c.ok([]byte("target")) }
	s.ops[fuse.FUSE_READ] = func(c *call) { c.ok([]byte("hello")) }
	s.ops[fuse.FUSE_WRITE] = func(c *call) {
		c.ok((&fuse.WriteOut{Size: uint32(len(c.args) - fuse.WriteInSize)}).AppendTo(nil))
	}
	s.ops[fuse.FUSE_STATFS] = func(c *call) { c.ok((&fuse.StatfsOut{St: fuse.Kstatfs{Blocks: 9, Bsize: 4096}}).AppendTo(nil)) }
	s.ops[fuse.FUSE_READDIR] = func(c *call) { c.ok(direntsFrom(c, false)) }
	s.ops[fuse.FUSE_READDIRPLUS] = func(c *call) { c.ok(direntsFrom(c, true)) }
	s.ops[fuse.FUSE_GETXATTR] = func(c *call) {
		if in := xattrSize(c); in == 0 {
			c.ok((&fuse.GetxattrOut{Size: 5}).AppendTo(nil))
		} else {
			c.ok([]byte("value"))
		}
	}
	s.ops[fuse.FUSE_LISTXATTR] = s.ops[fuse.FUSE_GETXATTR]
	s.ops[fuse.FUSE_GETLK] = func(c *call) {
		c.ok((&fuse.LkOut{Lk: fuse.FileLock{Type: 1, Start: 3, End: 4, Pid: 5}}).AppendTo(nil))
	}
	s.ops[fuse.FUSE_LSEEK] = func(c *call) { c.ok((&fuse.LseekOut{Offset: 4}).AppendTo(nil)) }
	s.ops[fuse.FUSE_COPY_FILE_RANGE] = func(c *call) { c.ok((&fuse.WriteOut{Size: 3}).AppendTo(nil)) }
	s.ops[fuse.FUSE_BMAP] = func(c *call) { c.ok((&fuse.BmapOut{Block: 6}).AppendTo(nil)) }
	s.ops[fuse.FUSE_IOCTL] = func(c *call) { c.ok(append((&fuse.IoctlOut{Result: 1}).AppendTo(nil), "data"...)) }
	s.ops[fuse.FUSE_POLL] = func(c *call) { c.ok((&fuse.PollOut{Revents: 1}).AppendTo(nil)) }
	for _, op := range []uint32{
		fuse.FUSE_UNLINK, fuse.FUSE_RMDIR, fuse.FUSE_RENAME, fuse.FUSE_RENAME2, fuse.FUSE_RELEASE,
		fuse.FUSE_RELEASEDIR, fuse.FUSE_FLUSH, fuse.FUSE_FSYNC, fuse.FUSE_FSYNCDIR, fuse.FUSE_ACCESS,
		fuse.FUSE_SETXATTR, fuse.FUSE_REMOVEXATTR, fuse.FUSE_SETLK, fuse.FUSE_SETLKW,
		fuse.FUSE_FALLOCATE, fuse.FUSE_SYNCFS, fuse.FUSE_DESTROY,
	} {
		s.ops[op] = func(c *call) { c.ok(nil) }
	}
	return s
}

func xattrSize(c *call) uint32 {
	var in fuse.GetxattrIn
	in.Decode(c.args)
	return in.Size
}

func attrFor(id uint64) fuse.Attr {
	mode := map[uint64]uint32{
		fuse.FUSE_ROOT_ID: syscall.S_IFDIR | 0o755, idFile: syscall.S_IFREG | 0o644,
		idLink: syscall.S_IFLNK | 0o777, idDir: syscall.S_IFDIR | 0o755,
	}[id]
	return fuse.Attr{Ino: id, Mode: mode, Size: 5, Nlink: 1}
}

func entryOf(id uint64, mode uint32) *fuse.EntryOut {
	e := &fuse.EntryOut{Nodeid: id, Generation: 1, Attr: attrFor(id)}
	e.Attr.Mode = mode
	return e
}

// entryFor answers an operation on a name by what kind of file it makes.
func entryFor(c *call) *fuse.EntryOut {
	id := uint64(idFile)
	switch {
	case c.Opcode == fuse.FUSE_SYMLINK, c.Opcode == fuse.FUSE_LOOKUP && c.args[0] == 'l':
		id = idLink
	case c.Opcode == fuse.FUSE_MKDIR, c.Opcode == fuse.FUSE_LOOKUP && c.args[0] == 'd':
		id = idDir
	case c.Opcode == fuse.FUSE_LOOKUP && c.args[0] != 'f':
		return &fuse.EntryOut{}
	}
	return entryOf(id, attrFor(id).Mode)
}

// direntsFrom answers READDIR with three entries, two in a message.
func direntsFrom(c *call, plus bool) []byte {
	var in fuse.ReadIn
	in.Decode(c.args)
	var b []byte
	names := []string{".", "f", "d"}
	ids := []uint64{1, idFile, idDir}
	first := int(min(in.Offset, uint64(len(names)))) // a cookie may be any number
	for i := first; i < min(len(names), first+2); i++ {
		if plus {
			b = entryOf(ids[i], attrFor(ids[i]).Mode).AppendTo(b)
		}
		b = fuse.AppendDirent(b, &fuse.Dirent{Ino: ids[i], Off: uint64(i + 1), Type: attrFor(ids[i]).Mode >> 12}, names[i])
	}
	return b
}

// mountScript mounts s with its log.
func mountScript(t testing.TB, s *script, opts Options) *FS {
	t.Helper()
	opts.Logf = s.logf
	return mount(t, s, opts)
}

func TestScriptServer(t *testing.T) {
	f := mountScript(t, newScript(grantAll), Options{})
	got := list(t, f.root, 1)
	if !slices.Equal(got, []string{"f", "d"}) {
		t.Errorf("listing %q", got)
	}
}
