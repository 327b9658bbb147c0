package syscalls

import (
	"syscall"
	"unsafe"

	"github.com/yolkos/yolk/fs"
)

// OpenHow is struct open_how of openat2(2).
type OpenHow struct {
	Flags   uint64
	Mode    uint64
	Resolve uint64
}

const (
	resolveCached = 0x20

	// openFlags are those that open(2) has.
	openFlags = syscall.O_ACCMODE | syscall.O_CREAT | syscall.O_EXCL | syscall.O_NOCTTY | syscall.O_TRUNC | syscall.O_APPEND |
		syscall.O_NONBLOCK | syscall.O_SYNC | syscall.O_DSYNC | syscall.O_ASYNC | syscall.O_DIRECT | 0x8000 | syscall.O_DIRECTORY |
		syscall.O_NOFOLLOW | syscall.O_NOATIME | syscall.O_CLOEXEC | O_PATH | oTmpfile
	oTmpfile = 0x400000 // the bit of O_TMPFILE that is its own
)

// Openat2 is Openat that refuses what it does not know (EINVAL) and bounds where
// the path may lead.
func (k *Kernel) Openat2(dirfd int, path string, how OpenHow) (int, syscall.Errno) {
	const pathFlags = O_PATH | syscall.O_DIRECTORY | syscall.O_NOFOLLOW | syscall.O_CLOEXEC
	const all = fs.ResolveNoXdev | fs.ResolveNoMagiclinks | fs.ResolveNoSymlinks | fs.ResolveBeneath | fs.ResolveInRoot
	makes := how.Flags&(syscall.O_CREAT|oTmpfile) != 0
	switch {
	case how.Flags&^openFlags != 0 || how.Resolve&^(uint64(all)|resolveCached) != 0:
		return -1, syscall.EINVAL
	case fs.Resolve(how.Resolve)&(fs.ResolveBeneath|fs.ResolveInRoot) == fs.ResolveBeneath|fs.ResolveInRoot:
		return -1, syscall.EINVAL
	case makes && how.Mode&^0o7777 != 0 || !makes && how.Mode != 0:
		return -1, syscall.EINVAL
	case how.Flags&O_PATH != 0 && how.Flags&^pathFlags != 0:
		return -1, syscall.EINVAL
	case how.Resolve&resolveCached != 0: // nothing says that all is at hand
		return -1, syscall.EAGAIN
	}
	return k.open(dirfd, path, int(how.Flags), uint32(how.Mode), fs.Resolve(how.Resolve))
}

func doOpenat2(k *Kernel, a args) (uintptr, syscall.Errno) {
	const size = unsafe.Sizeof(OpenHow{})
	switch {
	case a[3] < size:
		return 0, syscall.EINVAL
	case a[3] > pageSize:
		return 0, syscall.E2BIG
	}
	all, e := memory(a[2], a[3])
	if e != 0 {
		return 0, e
	}
	for _, b := range all[size:] {
		if b != 0 { // a field that came later
			return 0, syscall.E2BIG
		}
	}
	how, e := object[OpenHow](a[2])
	if e != 0 {
		return 0, e
	}
	p, e := a.path(1)
	if e != 0 {
		return 0, e
	}
	return count(k.Openat2(a.int(0), p, *how))
}
