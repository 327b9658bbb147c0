package syscalls

import "syscall"

// Calls by number on the ids of the process. Those without a pointer never
// reach one that is not there.

// onIDs is a call with two ids that sets something.
func onIDs(set func(k *Kernel, a, b uint32) syscall.Errno) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) { return only(set(k, a.uint32(0), a.uint32(1))) }
}

// anID is a call that returns one of the three ids.
func anID(get func(k *Kernel) (real, effective, saved uint32), effective bool) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) {
		r, e, _ := get(k)
		if effective {
			r = e
		}
		return uintptr(r), 0
	}
}

// putIDs is a call that puts the three ids to where words 0, 1 and 2 lead.
func putIDs(get func(k *Kernel) (real, effective, saved uint32)) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) {
		real, effective, saved := get(k)
		for i, id := range []uint32{real, effective, saved} {
			if _, e := store(a[i], id); e != 0 {
				return 0, e
			}
		}
		return 0, 0
	}
}

func doSetresuid(k *Kernel, a args) (uintptr, syscall.Errno) {
	return only(k.Setresuid(a.uint32(0), a.uint32(1), a.uint32(2)))
}

func doSetresgid(k *Kernel, a args) (uintptr, syscall.Errno) {
	return only(k.Setresgid(a.uint32(0), a.uint32(1), a.uint32(2)))
}

func doSetuid(k *Kernel, a args) (uintptr, syscall.Errno) { return only(k.Setuid(a.uint32(0))) }
func doSetgid(k *Kernel, a args) (uintptr, syscall.Errno) { return only(k.Setgid(a.uint32(0))) }

func doSetfsuid(k *Kernel, a args) (uintptr, syscall.Errno) {
	return uintptr(k.Setfsuid(a.uint32(0))), 0
}

func doSetfsgid(k *Kernel, a args) (uintptr, syscall.Errno) {
	return uintptr(k.Setfsgid(a.uint32(0))), 0
}

func doGetgroups(k *Kernel, a args) (uintptr, syscall.Errno) {
	groups := k.Getgroups()
	size := a.int(0)
	if size < 0 || size > 0 && size < len(groups) {
		return 0, syscall.EINVAL
	}
	if size > 0 {
		to, e := places[uint32](a[1], uintptr(len(groups)))
		if e != 0 {
			return 0, e
		}
		copy(to, groups)
	}
	return uintptr(len(groups)), 0
}

func doSetgroups(k *Kernel, a args) (uintptr, syscall.Errno) {
	n := a.uint32(0)
	if !k.can(capSetgid) {
		return 0, syscall.EPERM
	}
	if n > maxGroups {
		return 0, syscall.EINVAL
	}
	groups, e := array[uint32](a[1], uintptr(n))
	if e != 0 {
		return 0, e
	}
	return only(k.Setgroups(groups))
}
