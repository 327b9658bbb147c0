package syscalls

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/anonfs"
)

// Flags of InotifyAddWatch beside the events, as of linux/inotify.h.
const (
	inOnlyDir    = 0x01000000
	inDontFollow = 0x02000000
	inExclUnlink = 0x04000000
	inMaskCreate = 0x10000000
	inMaskAdd    = 0x20000000
	inOneShot    = 0x80000000

	inAllEvents = 0xfff
	inAllBits   = inAllEvents | fs.InUnmount | fs.InQOverflow | fs.InIgnored | fs.InIsDir |
		inOnlyDir | inDontFollow | inExclUnlink | inMaskCreate | inMaskAdd | inOneShot
)

// Limits of inotify, the defaults of Linux in /proc/sys/fs/inotify.
const (
	MaxUserInstances = 128
	MaxUserWatches   = 1 << 16
	MaxQueuedEvents  = 1 << 14
)

// InotifyInit1 makes an inotify instance and returns its descriptor. Flags are
// IN_CLOEXEC and IN_NONBLOCK, which are those of open(2). EMFILE: there are
// MaxUserInstances.
func (k *Kernel) InotifyInit1(flags int) (int, syscall.Errno) {
	if flags&^(syscall.O_CLOEXEC|syscall.O_NONBLOCK) != 0 {
		return -1, syscall.EINVAL
	}
	if k.inotify.instances.Add(1) > MaxUserInstances {
		k.inotify.instances.Add(-1)
		return -1, syscall.EMFILE
	}
	const kind = "inotify"
	d, err := k.anon.Nameless(kind, anonfs.Node{Name: kind})
	if err != nil {
		k.inotify.instances.Add(-1)
		return -1, errno(err)
	}
	return k.install(newInotify(k), d, flags|syscall.O_RDONLY)
}

// InotifyAddWatch has the instance fd watch the file at path for the events in
// mask, and returns the number of the watch. A file has one watch in an
// instance, by whatever name it is found: another call for it changes that.
// ENOSPC: there are MaxUserWatches, or the host has no more for a share.
func (k *Kernel) InotifyAddWatch(fd int, path string, mask uint32) (int, syscall.Errno) {
	if mask&inAllBits == 0 {
		return -1, syscall.EINVAL
	}
	x, e := k.table.get(fd)
	if e != 0 {
		return -1, e
	}
	x.put()
	if mask&inMaskAdd != 0 && mask&inMaskCreate != 0 {
		return -1, syscall.EINVAL
	}
	i, x, e := fileOf[*inotify](k, fd)
	if e != 0 {
		return -1, e
	}
	defer x.put()
	b, e := k.base(AT_FDCWD, path)
	if e != 0 {
		return -1, e
	}
	defer b.done()
	wd, e := i.addAt(k.vfs.Walk, b, path, mask)
	if e == syscall.ESTALE { // the host has another file there than is remembered
		wd, e = i.addAt(k.vfs.WalkAfresh, b, path, mask)
	}
	return wd, e
}

// addAt is add for the file to which walk leads.
func (i *inotify) addAt(walk func(fs.Base, string, bool) (*fs.Dentry, error), b base, path string, mask uint32) (int, syscall.Errno) {
	d, err := walk(b.Base, path, mask&inDontFollow == 0)
	if err != nil {
		return -1, errno(err)
	}
	defer d.Put()
	if mask&inOnlyDir != 0 && d.Kind() != syscall.S_IFDIR {
		return -1, syscall.ENOTDIR
	}
	return i.add(d, mask)
}

// InotifyRmWatch ends the watch wd of the instance fd. EINVAL: it has none.
func (k *Kernel) InotifyRmWatch(fd, wd int) syscall.Errno {
	i, x, e := fileOf[*inotify](k, fd)
	if e != 0 {
		return e
	}
	defer x.put()
	return i.remove(wd)
}
