package syscalls

import (
	"slices"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/anonfs"
)

// maxBuffers is UIO_MAXIOV: how many buffers a call takes.
const maxBuffers = 1024

// joined is how many bytes of several buffers are read or written by way of one,
// so that they are in one piece, as of a pipe.
const joined = 1 << 20

// Flags of Preadv2 and Pwritev2: RWF_ constants.
const (
	rwfHipri    = 0x1
	rwfDsync    = 0x2
	rwfSync     = 0x4
	rwfNowait   = 0x8
	rwfAppend   = 0x10
	rwfNoappend = 0x20
	rwfAll      = rwfHipri | rwfDsync | rwfSync | rwfNowait | rwfAppend | rwfNoappend
)

// Readv is Read into several buffers, one after the other.
func (k *Kernel) Readv(fd int, bufs [][]byte) (int, syscall.Errno) {
	return k.Preadv2(fd, bufs, -1, 0)
}

// Writev is Write of several buffers, one after the other.
func (k *Kernel) Writev(fd int, bufs [][]byte) (int, syscall.Errno) {
	return k.Pwritev2(fd, bufs, -1, 0)
}

// Preadv is Pread into several buffers, one after the other.
func (k *Kernel) Preadv(fd int, bufs [][]byte, off int64) (int, syscall.Errno) {
	if off < 0 {
		return 0, syscall.EINVAL
	}
	return k.Preadv2(fd, bufs, off, 0)
}

// Pwritev is Pwrite of several buffers, one after the other.
func (k *Kernel) Pwritev(fd int, bufs [][]byte, off int64) (int, syscall.Errno) {
	if off < 0 {
		return 0, syscall.EINVAL
	}
	return k.Pwritev2(fd, bufs, off, 0)
}

// Preadv2 is Preadv with flags; off -1 is the position.
func (k *Kernel) Preadv2(fd int, bufs [][]byte, off int64, flags int) (int, syscall.Errno) {
	t := vectored{k: k, fd: fd, off: off, flags: flags}
	if done, e := t.begin(bufs); done {
		return 0, e
	}
	return t.spread(bufs)
}

// Pwritev2 is Pwritev with flags; off -1 is the position.
func (k *Kernel) Pwritev2(fd int, bufs [][]byte, off int64, flags int) (int, syscall.Errno) {
	t := vectored{k: k, fd: fd, off: off, flags: flags, write: true}
	if done, e := t.begin(bufs); done {
		return 0, e
	}
	if t.anon {
		return t.eachOf(bufs) // each is a write of its own
	}
	n, e := t.spread(bufs)
	if e == 0 && flags&(rwfDsync|rwfSync) != 0 {
		if e := k.fsync(fd, flags&rwfSync == 0); e != 0 {
			return 0, e
		}
	}
	return n, e
}

// vectored is a call on several buffers.
type vectored struct {
	k      *Kernel
	fd     int
	off    int64 // of the next part; -1: the position
	flags  int
	write  bool
	anon   bool // the file is of package anonfs
	stream bool
}

// begin checks the arguments. done: there is nothing to do, or an error.
func (t *vectored) begin(bufs [][]byte) (done bool, e syscall.Errno) {
	s, e := t.k.table.slot(t.fd)
	if e != 0 {
		return true, e
	}
	d := s.desc
	defer d.put()
	t.anon, t.stream = d.anon(), d.stream != nil
	if t.write {
		e = d.mayWrite()
	} else if e = d.mayRead(); e == syscall.EISDIR && len(bufs) == 0 {
		e = 0
	}
	total := 0
	for _, b := range bufs {
		total += len(b)
	}
	switch {
	case t.off < -1 || len(bufs) > maxBuffers:
		return true, syscall.EINVAL
	case t.off >= 0 && (t.stream || t.anon):
		return true, syscall.ESPIPE
	case e == 0 && t.anon && !d.transfers(t.write):
		return true, syscall.EINVAL
	case e != 0 || total == 0:
		return true, e
	case t.flags&^rwfAll != 0:
		return true, syscall.EOPNOTSUPP
	case t.flags&(rwfAppend|rwfNoappend) == rwfAppend|rwfNoappend:
		return true, syscall.EINVAL
	case t.anon && t.write && t.flags&^rwfHipri != 0:
		return true, syscall.EOPNOTSUPP
	case t.flags&rwfNowait != 0 && !t.stream, t.flags&rwfNoappend != 0 && t.write && d.flags.Load()&syscall.O_APPEND != 0:
		return true, syscall.EOPNOTSUPP
	}
	return false, 0
}

// part reads into b, or writes it.
func (t *vectored) part(b []byte) (n int, e syscall.Errno) {
	k := t.k
	switch {
	case t.flags&rwfNowait != 0:
		return k.now(t.fd, b, t.write)
	case t.flags&rwfAppend != 0 && t.write && !t.stream:
		return k.append(t.fd, b, t.off < 0)
	case t.off < 0 && t.write:
		return k.Write(t.fd, b)
	case t.off < 0:
		return k.Read(t.fd, b)
	case t.write:
		n, e = k.Pwrite(t.fd, b, t.off)
	default:
		n, e = k.Pread(t.fd, b, t.off)
	}
	t.off += int64(max(n, 0))
	return n, e
}

// now reads or writes what can be at once.
func (k *Kernel) now(fd int, b []byte, write bool) (n int, e syscall.Errno) {
	d, e := k.table.get(fd)
	if e != 0 {
		return 0, e
	}
	defer d.put()
	var err error
	if write {
		n, err = d.stream.WriteUntil(b, never)
	} else {
		n, err = d.stream.ReadUntil(b, never)
	}
	if err == syscall.EINTR {
		err = syscall.EAGAIN
	}
	return n, errno(err)
}

// append writes at the end of the file, where the position is then, if it is to
// move.
func (k *Kernel) append(fd int, b []byte, move bool) (int, syscall.Errno) {
	d, e := k.table.get(fd)
	if e != 0 {
		return 0, e
	}
	defer d.put()
	d.mu.Lock()
	defer d.mu.Unlock()
	var a fs.Attr
	if err := d.file.Getattr(&a); err != nil {
		return 0, errno(err)
	}
	n, end, err := d.writeAt(b, a.Size)
	if move && err == nil {
		d.pos = end
	}
	return n, errno(err)
}

// spread reads into bufs or writes them, all at once if they are not too long.
func (t *vectored) spread(bufs [][]byte) (done int, e syscall.Errno) {
	if len(bufs) == 1 {
		return t.part(bufs[0])
	}
	total, mapped := 0, false
	for _, b := range bufs {
		total += len(b)
		mapped = mapped || t.k.maps.holds(b)
	}
	if total > joined || mapped {
		return t.eachOf(slices.DeleteFunc(slices.Clone(bufs), func(b []byte) bool { return len(b) == 0 }))
	}
	kept := joints.Get().(*[]byte)
	defer joints.Put(kept)
	all := (*kept)[:0]
	if cap(all) < total {
		all = make([]byte, 0, total)
	}
	if cap(all) <= jointKept {
		*kept = all
	}
	if t.write {
		for _, b := range bufs {
			all = append(all, b...)
		}
		return t.part(all)
	}
	all = all[:total]
	n, e := t.part(all)
	for rest := all[:max(n, 0)]; len(rest) > 0; bufs = bufs[1:] {
		rest = rest[copy(bufs[0], rest):]
	}
	return n, e
}

// jointKept is the size, in bytes, up to which such a buffer is kept.
const jointKept = 64 << 10

// joints are buffers for several in one piece.
var joints = sync.Pool{New: func() any { return new([]byte) }}

// eachOf reads into or writes one of bufs after the other, until one is not done as
// a whole.
func (t *vectored) eachOf(bufs [][]byte) (done int, e syscall.Errno) {
	for _, b := range bufs {
		n, e := t.part(b)
		done += max(n, 0)
		switch {
		case e != 0 && done == 0:
			return n, e
		case n < len(b):
			return done, 0
		}
	}
	return done, 0
}

// transfers tells if the file of d, which is of package anonfs, can be read, or
// written.
func (d *desc) transfers(write bool) bool {
	_, event := d.file.(*anonfs.Eventfd)
	return d.stream != nil && (!write || event)
}
