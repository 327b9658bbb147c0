package syscalls

import "syscall"

// Calls by number of inotify(7).

func doInotifyInit(k *Kernel, _ args) (uintptr, syscall.Errno) { return count(k.InotifyInit1(0)) }

func doInotifyInit1(k *Kernel, a args) (uintptr, syscall.Errno) {
	return count(k.InotifyInit1(a.int(0)))
}

func doInotifyAddWatch(k *Kernel, a args) (uintptr, syscall.Errno) {
	path, e := text(a[1], pathMax, syscall.ENAMETOOLONG)
	if e != 0 {
		return 0, e
	}
	return count(k.InotifyAddWatch(a.int(0), path, a.uint32(2)))
}

func doInotifyRmWatch(k *Kernel, a args) (uintptr, syscall.Errno) {
	return only(k.InotifyRmWatch(a.int(0), a.int(1)))
}
