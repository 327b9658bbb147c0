package syscalls

import (
	"syscall"
	"unsafe"
)

// Calls by number on memory.

func doMmap(k *Kernel, a args) (uintptr, syscall.Errno) {
	if int64(a[1]) <= 0 {
		return 0, syscall.EINVAL
	}
	b, e := k.Mmap(a.int(4), a.int64(5), int(a[1]), a.int(2), a.int(3))
	if e != 0 {
		return 0, e
	}
	return uintptr(unsafe.Pointer(unsafe.SliceData(b))), 0
}

// onPages is a call on the memory that words 0 and 1 say.
func onPages(do func(k *Kernel, a args, b []byte) syscall.Errno) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) {
		b, e := memory(a[0], a[1])
		if e != 0 {
			return 0, syscall.ENOMEM
		}
		return only(do(k, a, b))
	}
}

// doMadvise takes the advice that changes nothing but speed.
func doMadvise(k *Kernel, a args) (uintptr, syscall.Errno) {
	if a[0]%pageSize != 0 || a.int(2) < syscall.MADV_NORMAL || a.int(2) > syscall.MADV_WILLNEED {
		return 0, syscall.EINVAL
	}
	return 0, 0
}

// succeeds is for what a system has that never swaps.
func succeeds(k *Kernel, a args) (uintptr, syscall.Errno) { return 0, 0 }
