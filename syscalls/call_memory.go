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
