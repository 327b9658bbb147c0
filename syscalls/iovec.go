package syscalls

import (
	"slices"
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
	done, read, e := k.vector(fd, bufs, off, flags, false)
	if done {
		return 0, e
	}
	return k.spread(bufs, true, read)
}

// Pwritev2 is Pwritev with flags; off -1 is the position.
func (k *Kernel) Pwritev2(fd int, bufs [][]byte, off int64, flags int) (int, syscall.Errno) {
	done, write, e := k.vector(fd, bufs, off, flags, true)
	if done {
		return 0, e
	}
	if k.separate(fd) {
		return eachOf(bufs, write)
	}
	n, e := k.spread(bufs, false, write)
	if e == 0 && flags&(rwfDsync|rwfSync) != 0 {
		if e := k.fsync(fd, flags&rwfSync == 0); e != 0 {
			return 0, e
		}
	}
	return n, e
}

// vector checks the arguments of a call and returns what does a part of it. done:
// there is nothing to do, or an error.
func (k *Kernel) vector(fd int, bufs [][]byte, off int64, flags int, write bool) (done bool, part func([]byte) (int, syscall.Errno), e syscall.Errno) {
	s, e := k.table.slot(fd)
	if e != 0 {
		return true, nil, e
	}
	d := s.desc
	defer d.put()
	if write {
		e = d.mayWrite()
	} else if e = d.mayRead(); e == syscall.EISDIR && len(bufs) == 0 {
		e = 0
	}
	total := 0
	for _, b := range bufs {
		total += len(b)
	}
	switch {
	case off < -1 || len(bufs) > maxBuffers:
		return true, nil, syscall.EINVAL
	case off >= 0 && (d.stream != nil || d.anon()):
		return true, nil, syscall.ESPIPE
	case e == 0 && d.anon() && !d.transfers(write):
		return true, nil, syscall.EINVAL
	case e != 0 || total == 0:
		return true, nil, e
	case flags&^rwfAll != 0:
		return true, nil, syscall.EOPNOTSUPP
	case flags&(rwfAppend|rwfNoappend) == rwfAppend|rwfNoappend:
		return true, nil, syscall.EINVAL
	case d.anon() && write && flags&^rwfHipri != 0:
		return true, nil, syscall.EOPNOTSUPP
	case flags&rwfNowait != 0 && d.stream == nil, flags&rwfNoappend != 0 && write && d.flags.Load()&syscall.O_APPEND != 0:
		return true, nil, syscall.EOPNOTSUPP
	}
	switch {
	case flags&rwfNowait != 0:
		return false, func(b []byte) (int, syscall.Errno) { return k.now(fd, b, write) }, 0
	case flags&rwfAppend != 0 && write && d.stream == nil:
		return false, func(b []byte) (int, syscall.Errno) { return k.append(fd, b, off < 0) }, 0
	case off < 0 && write:
		return false, func(b []byte) (int, syscall.Errno) { return k.Write(fd, b) }, 0
	case off < 0:
		return false, func(b []byte) (int, syscall.Errno) { return k.Read(fd, b) }, 0
	}
	return false, func(b []byte) (n int, e syscall.Errno) {
		if write {
			n, e = k.Pwrite(fd, b, off)
		} else {
			n, e = k.Pread(fd, b, off)
		}
		off += int64(max(n, 0))
		return n, e
	}, 0
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

// spread has part read into bufs or write them, all at once if they are not too
// long.
func (k *Kernel) spread(bufs [][]byte, read bool, part func([]byte) (int, syscall.Errno)) (done int, e syscall.Errno) {
	if len(bufs) == 1 {
		return part(bufs[0])
	}
	total, mapped := 0, false
	for _, b := range bufs {
		total += len(b)
		mapped = mapped || k.maps.holds(b)
	}
	if total <= joined && !mapped {
		all := make([]byte, 0, total)
		if !read {
			for _, b := range bufs {
				all = append(all, b...)
			}
		}
		n, e := part(all[:total])
		if read {
			for rest := all[:max(n, 0)]; len(rest) > 0; bufs = bufs[1:] {
				rest = rest[copy(bufs[0], rest):]
			}
		}
		return n, e
	}
	return eachOf(slices.DeleteFunc(slices.Clone(bufs), func(b []byte) bool { return len(b) == 0 }), part)
}

// eachOf has part read or write one of bufs after the other, until one is not
// done as a whole.
func eachOf(bufs [][]byte, part func([]byte) (int, syscall.Errno)) (done int, e syscall.Errno) {
	for _, b := range bufs {
		n, e := part(b)
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

// separate tells if each buffer of a Writev to fd is a write of its own.
func (k *Kernel) separate(fd int) bool {
	d, e := k.table.get(fd)
	if e != 0 {
		return false
	}
	defer d.put()
	return d.anon()
}
