//go:build tamago

package unix

import "syscall"

// Protection of maps.
const (
	PROT_EXEC  = syscall.PROT_EXEC
	PROT_NONE  = syscall.PROT_NONE
	PROT_READ  = syscall.PROT_READ
	PROT_WRITE = syscall.PROT_WRITE
)

// Kinds of maps.
const (
	MAP_ANON      = syscall.MAP_ANON
	MAP_ANONYMOUS = syscall.MAP_ANONYMOUS
	MAP_FILE      = syscall.MAP_FILE
	MAP_FIXED     = syscall.MAP_FIXED
	MAP_NORESERVE = syscall.MAP_NORESERVE
	MAP_POPULATE  = syscall.MAP_POPULATE
	MAP_PRIVATE   = syscall.MAP_PRIVATE
	MAP_SHARED    = syscall.MAP_SHARED

	MAP_SHARED_VALIDATE = 0x3
	MAP_TYPE            = 0xf
	MAP_32BIT           = 0x40
	MAP_GROWSDOWN       = 0x100
	MAP_DENYWRITE       = 0x800
	MAP_EXECUTABLE      = 0x1000
	MAP_LOCKED          = 0x2000
	MAP_NONBLOCK        = 0x10000
	MAP_STACK           = 0x20000
	MAP_HUGETLB         = 0x40000
	MAP_SYNC            = 0x80000
	MAP_FIXED_NOREPLACE = 0x100000
)

// What Madvise takes.
const (
	MADV_DONTNEED   = syscall.MADV_DONTNEED
	MADV_NORMAL     = syscall.MADV_NORMAL
	MADV_RANDOM     = syscall.MADV_RANDOM
	MADV_SEQUENTIAL = syscall.MADV_SEQUENTIAL
	MADV_WILLNEED   = syscall.MADV_WILLNEED

	MADV_FREE           = 0x8
	MADV_REMOVE         = 0x9
	MADV_DONTFORK       = 0xa
	MADV_DOFORK         = 0xb
	MADV_MERGEABLE      = 0xc
	MADV_UNMERGEABLE    = 0xd
	MADV_HUGEPAGE       = 0xe
	MADV_NOHUGEPAGE     = 0xf
	MADV_DONTDUMP       = 0x10
	MADV_DODUMP         = 0x11
	MADV_WIPEONFORK     = 0x12
	MADV_KEEPONFORK     = 0x13
	MADV_COLD           = 0x14
	MADV_PAGEOUT        = 0x15
	MADV_POPULATE_READ  = 0x16
	MADV_POPULATE_WRITE = 0x17
	MADV_COLLAPSE       = 0x19
	MADV_HWPOISON       = 0x64
)

// What Msync does.
const (
	MS_ASYNC      = syscall.MS_ASYNC
	MS_INVALIDATE = syscall.MS_INVALIDATE
	MS_SYNC       = syscall.MS_SYNC
)

// What Mlockall locks.
const (
	MCL_CURRENT = 0x1
	MCL_FUTURE  = 0x2
	MCL_ONFAULT = 0x4
)
