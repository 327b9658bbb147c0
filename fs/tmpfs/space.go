package tmpfs

import (
	"math"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Fallocate implements fs.FallocateFile. It reserves space, which is filled
// with zeros where there was a hole; with fs.FallocPunch it releases it; with
// fs.FallocZero it makes zeros of what is there.
func (f *file) Fallocate(mode uint32, off, length int64) error {
	switch mode {
	case 0, fs.FallocKeepSize, fs.FallocPunch | fs.FallocKeepSize, fs.FallocZero, fs.FallocZero | fs.FallocKeepSize:
	default:
		return syscall.EOPNOTSUPP
	}
	if off < 0 || length <= 0 || off > math.MaxInt64-length {
		return syscall.EINVAL
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	d := &f.data
	end := off + length
	if mode&(fs.FallocPunch|fs.FallocZero) != 0 && f.seals&fs.SealWrite != 0 || mode&fs.FallocPunch == 0 && end > d.size && f.seals&fs.SealGrow != 0 {
		return syscall.EPERM
	}
	if mode&(fs.FallocPunch|fs.FallocZero) != 0 {
		f.fs.reserve(-d.punch(off, min(end, d.size)))
	}
	if mode&fs.FallocPunch == 0 {
		last := end
		if mode&fs.FallocKeepSize != 0 {
			last = min(end, d.size) // space behind the end is not kept
		}
		if !d.fill(off, last, f.fs.reserve) {
			f.fs.reserve(-d.trim(d.size))
			return syscall.ENOSPC
		}
		if mode&fs.FallocKeepSize == 0 && end > d.size {
			d.size = end
		}
	}
	t := clock()
	f.mtime, f.ctime = t, t
	return nil
}

// fill makes chunks for the bytes from off to end.
func (d *data) fill(off, end int64, reserve func(int64) bool) bool {
	for off < end {
		i := off / chunkSize
		next := min(end, (i+1)*chunkSize)
		c := d.chunks[i]
		if n := int(next - i*chunkSize); n > len(c) {
			more := int64(n+pageSize-1)/pageSize - pagesOf(c)
			if !reserve(more) {
				return false
			}
			d.pages += more
			if d.chunks == nil {
				d.chunks = make(map[int64][]byte)
			}
			d.chunks[i] = grow(c, n)
		}
		off = next
	}
	return true
}

// punch makes a hole from off to end, which is inside the file, and returns
// how many pages that set free.
func (d *data) punch(off, end int64) (freed int64) {
	for off < end {
		i := off / chunkSize
		next := min(end, (i+1)*chunkSize)
		c := d.chunks[i]
		from, to := int(off-i*chunkSize), min(int(next-i*chunkSize), len(c))
		switch {
		case from >= to:
		case from == 0 && to == len(c):
			freed += pagesOf(c)
			delete(d.chunks, i)
		case to == len(c):
			freed += pagesOf(c) - pagesOf(c[:from])
			d.chunks[i] = append(make([]byte, 0, from), c[:from]...)
		default:
			clear(c[from:to])
		}
		if len(d.chunks) == 0 {
			break
		}
		off = next
	}
	d.pages -= freed
	return freed
}

// SeekHole implements fs.SeekHoleFile.
func (f *file) SeekHole(off int64, whence int) (int64, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if off < 0 || off >= f.data.size || f.kind != syscall.S_IFREG {
		return 0, syscall.ENXIO
	}
	at := f.data.seek(off, whence == fs.SeekHole)
	if at < 0 {
		return 0, syscall.ENXIO
	}
	return at, nil
}
