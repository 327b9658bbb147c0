package syscalls

import (
	"math"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Seek sets the position as lseek(2) does. A position is never negative: what
// would be is EINVAL, also where a sum overflows, and leaves it where it was.
// On directories it goes by cookies: to 0, the start, and to those that Seek
// or ReadDirent has given. ENXIO: there is no such data, or hole. ESPIPE: the
// file has no positions.
func (k *Kernel) Seek(fd int, off int64, whence int) (int64, syscall.Errno) {
	d, err := k.table.file(fd)
	if err != 0 {
		return -1, err
	}
	defer d.put()
	if whence < SEEK_SET || whence > SEEK_HOLE {
		return -1, syscall.EINVAL
	}
	if _, ok := d.file.(fs.SeekFile); d.stream != nil && !ok {
		return -1, syscall.ESPIPE
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if off, err = d.seek(off, whence); err == 0 && off < 0 {
		err = syscall.EINVAL
	}
	if err != 0 {
		return -1, err
	}
	d.pos = off
	return off, 0
}

// seek returns the position that off and whence lead to, negative where there
// is none. d.mu is held.
func (d *desc) seek(off int64, whence int) (int64, syscall.Errno) {
	if f, ok := d.file.(fs.SeekFile); ok {
		n, err := f.SeekFrom(d.pos, off, whence)
		return n, errno(err)
	}
	// A sum of an off below 0 and what is not cannot overflow; else the sum is
	// negative if it does.
	switch whence {
	case SEEK_SET:
		return off, 0
	case SEEK_CUR:
		return d.pos + off, 0
	}
	if d.kind == syscall.S_IFDIR { // no end to count from: that is the server's
		return 0, syscall.EINVAL
	}
	if whence != SEEK_END {
		if e := d.maps.flush(d.dentry.Node()); e != 0 {
			return 0, e
		}
	}
	if f, ok := d.file.(fs.SeekHoleFile); ok && whence != SEEK_END {
		n, err := f.SeekHole(off, whence)
		return n, errno(err)
	}
	var a fs.Attr
	if err := d.file.Getattr(&a); err != nil {
		return 0, errno(err)
	}
	switch {
	case whence == SEEK_END:
		return a.Size + off, 0
	case off < 0 || off >= a.Size:
		return 0, syscall.ENXIO
	case whence == SEEK_HOLE: // what knows no holes has one at its end
		return a.Size, 0
	}
	return off, 0
}

// sum adds an offset to a position: EOVERFLOW if there is no such number.
func sum(a, b int64) (int64, syscall.Errno) {
	if b > 0 && a > math.MaxInt64-b {
		return 0, syscall.EOVERFLOW
	}
	return a + b, 0
}
