package syscalls

import "syscall"

// Calls by number on memory. Lengths that are negative as an int are refused by
// the methods as too large.

func doMmap(k *Kernel, a args) (uintptr, syscall.Errno) {
	return k.Mmap(a[0], int(a[1]), a.int(2), a.int(3), a.int(4), a.int64(5))
}

func doMremap(k *Kernel, a args) (uintptr, syscall.Errno) {
	return k.Mremap(a[0], int(a[1]), int(a[2]), a.int(3), a[4])
}

func doMincore(k *Kernel, a args) (uintptr, syscall.Errno) {
	size, ok := pages(int(a[1]))
	if !ok {
		return 0, syscall.ENOMEM
	}
	vec, e := room(a[2], uintptr(size/pageSize))
	if e != 0 {
		vec = nil // an error of the range comes first
	}
	return only(k.Mincore(a[0], int(a[1]), vec))
}

// onRange is a call on word 1 bytes at the address in word 0, with word 2.
func onRange(do func(k *Kernel, addr uintptr, length, arg int) syscall.Errno) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) { return only(do(k, a[0], int(a[1]), a.int(2))) }
}

// onLocked is one without word 2.
func onLocked(do func(k *Kernel, addr uintptr, length int) syscall.Errno) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) { return only(do(k, a[0], int(a[1]))) }
}

func doShmget(k *Kernel, a args) (uintptr, syscall.Errno) {
	id, e := k.Shmget(int32(a[0]), uint64(a[1]), a.int(2))
	return uintptr(id), e
}

func doShmat(k *Kernel, a args) (uintptr, syscall.Errno) { return k.Shmat(a.int(0), a[1], a.int(2)) }

func doShmctl(k *Kernel, a args) (uintptr, syscall.Errno) {
	const (
		rmid   = 0  // IPC_RMID
		set    = 1  // IPC_SET
		stat   = 2  // IPC_STAT
		lock   = 11 // SHM_LOCK
		unlock = 12 // SHM_UNLOCK
	)
	switch cmd := a.int(1); cmd {
	case rmid:
		return only(k.ShmRemove(a.int(0)))
	case stat:
		d, e := k.ShmStat(a.int(0))
		if e != 0 {
			return 0, e
		}
		return store(a[2], d)
	case set:
		d, e := object[ShmidDs](a[2])
		if e != 0 {
			return 0, e
		}
		return only(k.ShmSet(a.int(0), d))
	case lock, unlock:
		return only(k.ShmLock(a.int(0), cmd == lock))
	}
	return 0, syscall.EINVAL
}
