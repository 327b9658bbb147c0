package fusefs

import (
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// dirBufSize is the most that is asked for with one READDIR, in bytes: some
// 400 entries with their attributes, 1500 without.
const dirBufSize = 64 << 10

// dirFile is an open directory. It keeps the last reply of READDIR until all
// its entries are handed up: cookies are good only behind an entry that the
// server sent, on the same handle, and READDIRPLUS entries are counted by the
// server as they are sent, not as they are used.
type dirFile struct {
	*handle
	mu    sync.Mutex
	buf   *[dirBufSize]byte // nil: nothing is kept
	data  []byte            // the reply, in buf
	text  string            // the same, for names to be parts of
	first uint64            // the cookie that was asked for
	next  uint64            // the cookie behind which the last ReadDir ended,
	pos   int               // and where in data that is
	used  int               // bytes of data that have been handed up
	plus  bool              // data came from READDIRPLUS
	plain bool              // READDIRPLUS has failed in this listing
	given int               // entries handed up with attributes that the policy does not know of
	m     mark              // when it was asked for
	names uint32            // node.renames at that time
}

var _ fs.File = (*dirFile)(nil)

// ReadDir implements fs.File. emit must not call ReadDir of the same file.
// Entries for which emit returned false count as handed up; a further call
// that starts before them hands them up again, without an Entry.
func (d *dirFile) ReadDir(cookie uint64, emit func(*fs.Dirent) bool) error {
	if err := d.node.usable(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	pos, ok := d.find(cookie)
	if !ok {
		d.drop()
		pos = 0
	}
	var ent fs.Dirent
	for {
		if pos == len(d.data) {
			d.drop()
			if more, err := d.fetch(cookie); !more {
				return err
			}
			pos = 0
		}
		d.next, d.pos = cookie, pos
		n, show, err := d.parse(pos, &ent)
		if err != nil {
			d.drop()
			return err
		}
		pos += n
		d.used = max(d.used, pos)
		cookie = ent.Next
		if show && !emit(&ent) {
			return nil
		}
	}
}

// find returns where in data the entries behind cookie start.
func (d *dirFile) find(cookie uint64) (pos int, ok bool) {
	if d.buf == nil || cookie == 0 {
		return 0, false // from the start means afresh
	}
	switch cookie {
	case d.next:
		return d.pos, true
	case d.first:
		return 0, true
	}
	var e fuse.EntryOut
	for pos < len(d.data) {
		ent, _, n, err := d.record(pos, &e)
		if err != nil {
			return 0, false
		}
		pos += n
		if ent.Off == cookie {
			return pos, true
		}
	}
	return 0, false
}

// record parses the entry at pos.
func (d *dirFile) record(pos int, e *fuse.EntryOut) (ent fuse.Dirent, name []byte, n int, err error) {
	if d.plus {
		return fuse.ParseDirentplus(d.data[pos:], e)
	}
	return fuse.ParseDirent(d.data[pos:])
}

// parse fills ent with the entry at pos, which has n bytes. show is false for
// "." and "..".
func (d *dirFile) parse(pos int, ent *fs.Dirent) (n int, show bool, err error) {
	f := d.node.fs
	op := uint32(fuse.FUSE_READDIR)
	if d.plus {
		op = fuse.FUSE_READDIRPLUS
	}
	var e fuse.EntryOut
	de, name, n, err := d.record(pos, &e)
	switch {
	case err == fuse.ErrDirentName:
		return 0, false, f.badName(op, "dirent name", name, "is not a name of one component")
	case err != nil:
		return 0, false, f.badReply(op, "dirent namelen", uint64(de.Namelen), "runs past the end of the reply")
	case de.Off == 0 || de.Off == d.first:
		return 0, false, f.badReply(op, "dirent off", de.Off, "leads back to where it was asked for")
	}
	*ent = fs.Dirent{Ino: de.Ino, Type: uint8(de.Type), Next: de.Off}
	if isDot(name) {
		return n, false, nil
	}
	at := pos + fuse.DirentSize
	if d.plus {
		at += fuse.EntryOutSize
	}
	ent.Name = d.text[at : at+len(name)]
	// A nodeid of 0 says only that the server did not look this one up. What the
	// server says of a name holds no longer if names were changed since.
	if d.plus && e.Nodeid != 0 {
		if ent.Type == 0 {
			ent.Type = uint8(e.Attr.Mode & syscall.S_IFMT >> 12)
		}
		switch {
		case pos < d.used:
		case d.node.renames.Load() != d.names:
			f.forget(fuse.ForgetOne{Nodeid: e.Nodeid, Nlookup: 1})
		default:
			// An entry that does not hold is shown by its name only.
			ent.Entry, _ = d.node.entry(op, ent.Name, &e, d.m)
			if nd, ok := ent.Entry.Node.(*node); ok {
				nd.give()
				d.given++
			}
		}
	}
	return n, true, nil
}

func isDot(name []byte) bool {
	return len(name) == 1 && name[0] == '.' || len(name) == 2 && name[0] == '.' && name[1] == '.'
}

// fetch asks for the entries behind cookie. more is false at the end.
func (d *dirFile) fetch(cookie uint64) (more bool, err error) {
	f := d.node.fs
	d.buf = f.dirBufs.Get().(*[dirBufSize]byte)
	d.first, d.used = cookie, 0
	if cookie == 0 {
		d.plain = false
	}
	n, err := d.ask(cookie)
	if err != nil || n == 0 {
		d.drop()
		return false, err
	}
	if !d.plus {
		d.node.listed.Store(max(d.m.time, 1))
	}
	d.data = d.buf[:n]
	d.text = string(d.data)
	if a := f.atimeDirt(); a != 0 {
		d.node.changedHere(a)
	}
	return true, nil
}

// ask asks until the server answers, and returns the length of the answer.
//
// With READDIRPLUS the server looks up every name, and has only one error for
// all: that of a name which has gone meanwhile (virtiofsd: ENOENT if it is the
// first behind the cookie), or which it may not look at. It says nothing of the
// directory. So the listing goes on with READDIR, from the same cookie, to its
// end; what that answers is the answer.
func (d *dirFile) ask(cookie uint64) (n int, err error) {
	f := d.node.fs
	for {
		var size int
		d.plus, size = f.wantPlus(cookie, d.plain)
		n, failed, err := d.read(cookie, size)
		if !failed {
			return n, err
		}
		op, other := uint32(fuse.FUSE_READDIR), uint32(fuse.FUSE_READDIRPLUS)
		if d.plus {
			op, other = other, op
		}
		switch {
		case err == syscall.ENOSYS: // a server may know only one of the two
			f.nosys[op].Store(true)
			if f.nosys[other].Load() || other == fuse.FUSE_READDIRPLUS && !f.session.has(fuse.FUSE_DO_READDIRPLUS) {
				return 0, err
			}
		case !d.plus || f.nosys[other].Load():
			return 0, err
		default:
			d.plain = true
		}
	}
}

// read sends one READDIR or READDIRPLUS and returns the length of the answer.
// failed: the server has answered with err.
func (d *dirFile) read(cookie uint64, size int) (n int, failed bool, err error) {
	f := d.node.fs
	op := uint32(fuse.FUSE_READDIR)
	if d.plus {
		op = fuse.FUSE_READDIRPLUS
	}
	room := d.buf[:size]
	in := fuse.ReadIn{Fh: d.fh, Offset: cookie, Size: uint32(len(room)), Flags: d.flags}
	r := f.request(op, d.node.id)
	defer f.done(r)
	r.buf = in.AppendTo(r.buf)
	d.m, d.names = f.mark(), d.node.renames.Load()
	n, err = f.exchange(r, nil, room, 0, 0)
	return n, err != nil && r.failed, err
}

// drop gives back the lookups of entries that were not handed up, and the
// buffer.
func (d *dirFile) drop() {
	if d.buf == nil {
		return
	}
	f := d.node.fs
	var e fuse.EntryOut
	for pos := d.used; d.plus && pos < len(d.data); {
		_, name, n, _ := d.record(pos, &e)
		if n == 0 {
			break
		}
		pos += n
		if !isDot(name) {
			f.forget(fuse.ForgetOne{Nodeid: e.Nodeid, Nlookup: 1})
		}
	}
	f.plus.add(d.given*plusGiven, plusHigh)
	f.dirBufs.Put(d.buf)
	d.buf, d.data, d.text, d.used, d.given = nil, nil, "", 0, 0
}

// Release implements fs.File.
func (d *dirFile) Release() {
	d.mu.Lock()
	d.drop()
	d.mu.Unlock()
	d.handle.Release()
}

// Fsync implements fs.File.
func (d *dirFile) Fsync(dataOnly bool) error { return d.fsync(fuse.FUSE_FSYNCDIR, dataOnly) }

// Flush implements fs.File: directories have nothing to flush.
func (d *dirFile) Flush() error { return nil }

// ReadAt and WriteAt implement fs.File.
func (d *dirFile) ReadAt(p []byte, off int64) (int, error)         { return 0, syscall.EISDIR }
func (d *dirFile) WriteAt(p []byte, off int64) (int, int64, error) { return 0, 0, syscall.EISDIR }
