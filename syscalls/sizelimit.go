package syscalls

import (
	"math"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// RLIMIT_FSIZE (getrlimit(2)): a regular file does not grow beyond it. What would
// have it do so is EFBIG, with SIGXFSZ; a write that begins below it is cut short.

// sizeLimit is the limit in bytes.
func (k *Kernel) sizeLimit() int64 {
	return int64((k.maxSize.Load() - 1) & math.MaxInt64)
}

// setSizeLimit notes the soft limit, n bytes, where each write looks.
func (k *Kernel) setSizeLimit(n uint64) {
	if n > math.MaxInt64 {
		k.maxSize.Store(0)
		return
	}
	k.maxSize.Store(n + 1)
}

// tooLarge is EFBIG, with its signal.
func (k *Kernel) tooLarge() syscall.Errno {
	k.send(Siginfo{Signo: syscall.SIGXFSZ, Code: SI_USER, Pid: pid}, true)
	return syscall.EFBIG
}

// room is how many of n bytes, 1 or more, may be written to a regular file at off.
func (k *Kernel) room(off int64, n int) (int, syscall.Errno) {
	left := k.sizeLimit() - off
	if left <= 0 {
		return 0, k.tooLarge()
	}
	return int(min(int64(n), left)), 0
}

// roomFor is what of p may be written to d at off, or at its end if it appends.
func (d *desc) roomFor(p []byte, off int64) ([]byte, error) {
	if d.kind != syscall.S_IFREG || len(p) == 0 {
		return p, nil
	}
	if d.flags.Load()&syscall.O_APPEND != 0 {
		var a fs.Attr
		if err := d.file.Getattr(&a); err != nil {
			return nil, err
		}
		off = a.Size
	}
	n, e := d.maps.kernel.room(off, len(p))
	if e != 0 {
		return nil, e
	}
	return p[:n], nil
}

// mayGrow checks that a file whose attributes getattr tells may become as large as
// size.
func (k *Kernel) mayGrow(size int64, getattr func(*fs.Attr) error) syscall.Errno {
	if size <= k.sizeLimit() {
		return 0
	}
	var a fs.Attr
	if err := getattr(&a); err != nil {
		return errno(err)
	}
	if a.Mode&syscall.S_IFMT == syscall.S_IFREG && size > a.Size {
		return k.tooLarge()
	}
	return 0
}
