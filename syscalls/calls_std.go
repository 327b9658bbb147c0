package syscalls

import "syscall"

// The calls that the standard library makes by number. A program that makes no
// others itself has these alone: see AllCalls.
func init() {
	enter([]numbered{
		{32, "dup", doDup, ""},
		{39, "getpid", always(pid), ""},
		{61, "wait4", doWait4, ""},
		{62, "kill", doKill, ""},
		{63, "uname", doUname, ""},
		{72, "fcntl", doFcntl, ""},
		{74, "fsync", onFD((*Kernel).Fsync), ""},
		{75, "fdatasync", onFD((*Kernel).Fdatasync), ""},
		{76, "truncate", onPath(0, func(k *Kernel, a args, p string) syscall.Errno { return k.Truncate(p, a.int64(1)) }), ""},
		{77, "ftruncate", doFtruncate, ""},
		{80, "chdir", onPath(0, func(k *Kernel, a args, p string) syscall.Errno { return k.Chdir(p) }), ""},
		{81, "fchdir", onFD((*Kernel).Fchdir), ""},
		{91, "fchmod", onFDArgs(func(k *Kernel, a args) syscall.Errno { return k.Fchmod(a.int(0), a.uint32(1)) }), ""},
		{93, "fchown", onFDArgs(func(k *Kernel, a args) syscall.Errno { return k.Fchown(a.int(0), a.int(1), a.int(2)) }), ""},
		{95, "umask", doUmask, ""},
		{102, "getuid", anID((*Kernel).Getresuid, false), ""},
		{104, "getgid", anID((*Kernel).Getresgid, false), ""},
		{107, "geteuid", anID((*Kernel).Getresuid, true), ""},
		{108, "getegid", anID((*Kernel).Getresgid, true), ""},
		{110, "getppid", always(0), ""},
		{115, "getgroups", doGetgroups, ""},
		{258, "mkdirat", onPath(1, func(k *Kernel, a args, p string) syscall.Errno { return k.Mkdirat(a.int(0), p, a.uint32(2)) }), ""},
		{260, "fchownat", onPath(1, func(k *Kernel, a args, p string) syscall.Errno {
			return k.Fchownat(a.int(0), p, a.int(2), a.int(3), a.int(4))
		}), ""},
		{262, "newfstatat", doNewfstatat, ""},
		{263, "unlinkat", onPath(1, func(k *Kernel, a args, p string) syscall.Errno { return k.Unlinkat(a.int(0), p, a.int(2)) }), ""},
		{264, "renameat", onPaths(1, 3, func(k *Kernel, a args, p, q string) syscall.Errno { return k.Renameat2(a.int(0), p, a.int(2), q, 0) }), ""},
		{265, "linkat", onPaths(1, 3, func(k *Kernel, a args, p, q string) syscall.Errno {
			return k.Linkat(a.int(0), p, a.int(2), q, a.int(4))
		}), ""},
		{266, "symlinkat", onPaths(0, 2, func(k *Kernel, a args, p, q string) syscall.Errno { return k.Symlinkat(p, a.int(1), q) }), ""},
		{267, "readlinkat", doReadlinkat, ""},
		{268, "fchmodat", onPath(1, func(k *Kernel, a args, p string) syscall.Errno { return k.Fchmodat(a.int(0), p, a.uint32(2), 0) }), ""},
		{269, "faccessat", doFaccessat, ""},
		{280, "utimensat", doUtimensat, ""},
		{293, "pipe2", doPipe2, ""},
		{302, "prlimit64", doPrlimit64, ""},
		{326, "copy_file_range", fromTo((*Kernel).CopyFileRange), ""},
		{439, "faccessat2", doFaccessat2, ""},
		{452, "fchmodat2", onPath(1, func(k *Kernel, a args, p string) syscall.Errno { return k.Fchmodat(a.int(0), p, a.uint32(2), a.int(3)) }), ""},
	})
}
