package qemu

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The processes that serve a guest, its files and its network, read what the guest says.
// If that should ever be too much for one of them, a filter of system calls (seccomp(2))
// keeps it from what it has no business with: other programs, other processes, the
// settings of the machine, and for the one of the network the files, for that of files
// the network.

// foreignCalls are for neither of them.
var foreignCalls = []uint32{
	unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_FORK, unix.SYS_VFORK, // programs
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PROCESS_MADVISE, unix.SYS_KCMP, // processes
	unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_GETFD, unix.SYS_PIDFD_SEND_SIGNAL, unix.SYS_RT_SIGQUEUEINFO, unix.SYS_RT_TGSIGQUEUEINFO, unix.SYS_TKILL,
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_SETNS, unix.SYS_UNSHARE, // name spaces
	unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR,
	unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_QUOTACTL, unix.SYS_FANOTIFY_INIT,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER, // the kernel
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD,
	unix.SYS_REBOOT, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_ACCT, unix.SYS_SYSLOG, unix.SYS_VHANGUP, unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT, // the machine
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME,
}

// fileChanges are not for the process of the network, which reads a few files.
var fileChanges = []uint32{
	unix.SYS_CREAT, unix.SYS_TRUNCATE, unix.SYS_UNLINK, unix.SYS_UNLINKAT, unix.SYS_RMDIR, unix.SYS_MKDIR, unix.SYS_MKDIRAT, unix.SYS_MKNOD, unix.SYS_MKNODAT,
	unix.SYS_RENAME, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_LINK, unix.SYS_LINKAT, unix.SYS_SYMLINK, unix.SYS_SYMLINKAT,
	unix.SYS_CHMOD, unix.SYS_FCHMOD, unix.SYS_FCHMODAT, unix.SYS_FCHMODAT2, unix.SYS_CHOWN, unix.SYS_LCHOWN, unix.SYS_FCHOWN, unix.SYS_FCHOWNAT,
	unix.SYS_UTIME, unix.SYS_UTIMES, unix.SYS_FUTIMESAT, unix.SYS_UTIMENSAT,
	unix.SYS_SETXATTR, unix.SYS_LSETXATTR, unix.SYS_FSETXATTR, unix.SYS_REMOVEXATTR, unix.SYS_LREMOVEXATTR, unix.SYS_FREMOVEXATTR,
	unix.SYS_MQ_OPEN, unix.SYS_MQ_UNLINK, unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_MSGGET, unix.SYS_SEMGET,
}

// newSockets are not for a process of files, which has all that it needs.
var newSockets = []uint32{unix.SYS_SOCKET, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN}

// The words of struct seccomp_data, by their offsets in bytes.
const (
	dataNumber = 0
	dataArch   = 4
	dataArg    = 16 // the low half of the first argument; 8 bytes each

	archAMD64 = 0xc000003e // AUDIT_ARCH_X86_64
	x32       = 0x40000000 // in the number of calls with 32-bit pointers
)

// filter is a program of seccomp(2) under construction.
type filter []bpf.Instruction

// Answers of a filter.
func deny(errno unix.Errno) bpf.Instruction {
	return bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(errno)}
}

var allow = bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}

// newFilter begins a filter, which leaves the call's number in A.
func newFilter() filter {
	return filter{
		bpf.LoadAbsolute{Off: dataArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: archAMD64, SkipTrue: 1},
		deny(unix.ENOSYS),
		bpf.LoadAbsolute{Off: dataNumber, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: x32, SkipTrue: 1},
		deny(unix.ENOSYS),
	}
}

// answer answers a call.
func (f *filter) answer(number uint32, with bpf.Instruction) {
	*f = append(*f, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: number, SkipTrue: 1}, with)
}

// deny has calls fail with EPERM.
func (f *filter) deny(numbers ...uint32) {
	for _, n := range numbers {
		f.answer(n, deny(unix.EPERM))
	}
}

// onlyIf has a call fail with errno unless a test of the low half of an argument, which
// is in A, holds.
func (f *filter) onlyIf(number uint32, arg int, errno unix.Errno, tests ...bpf.JumpIf) {
	body := filter{bpf.LoadAbsolute{Off: uint32(dataArg + 8*arg), Size: 4}}
	for i, t := range tests {
		t.SkipTrue, t.SkipFalse = uint8(len(tests)-i), 0 // to what is behind the answer
		body = append(body, t)
	}
	body = append(body, deny(errno), allow)
	*f = append(*f, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: number, SkipTrue: uint8(len(body))})
	*f = append(*f, body...)
}

// commonFilter is what the processes have in common: own is the number of the process.
func commonFilter(own int) filter {
	f := newFilter()
	f.deny(foreignCalls...)
	f.answer(unix.SYS_CLONE3, deny(unix.ENOSYS)) // its flags are in memory, which a filter cannot see
	f.onlyIf(unix.SYS_CLONE, 0, unix.EPERM, bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: unix.CLONE_THREAD})
	f.onlyIf(unix.SYS_KILL, 0, unix.EPERM, bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(own)})
	f.onlyIf(unix.SYS_TGKILL, 0, unix.EPERM, bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(own)})
	f.onlyIf(unix.SYS_PRLIMIT64, 0, unix.EPERM, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(own)})
	return f
}

// networkFilter is for the process of the network: sockets of the internet, files only to
// read.
func networkFilter(own int) filter {
	const changing = unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC
	f := commonFilter(own)
	f.deny(fileChanges...)
	f.onlyIf(unix.SYS_OPEN, 1, unix.EPERM, bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: changing})
	f.onlyIf(unix.SYS_OPENAT, 2, unix.EPERM, bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: changing})
	f.answer(unix.SYS_OPENAT2, deny(unix.ENOSYS)) // as clone3
	f.onlyIf(unix.SYS_SOCKET, 0, unix.EACCES, bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_INET}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_INET6})
	return append(f, allow)
}

// filesFilter is for a process of files, which needs no further socket.
func filesFilter(own int) filter {
	f := commonFilter(own)
	f.deny(newSockets...)
	return append(f, allow)
}

// confine puts a filter upon all threads of this process, for good, and says on standard
// error where that is not to be had.
func confine(what string, make func(own int) filter) {
	if err := seccomp(make(os.Getpid())); err != nil {
		fmt.Fprintf(os.Stderr, "yolk: %s is not confined: %v\n", what, err)
	}
}

func seccomp(f filter) error {
	raw, err := bpf.Assemble(f)
	if err != nil {
		return err
	}
	program := make([]unix.SockFilter, 0, len(raw))
	for _, r := range raw {
		program = append(program, unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K})
	}
	runtime.LockOSThread() // of which both are, before they are of all threads
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("PR_SET_NO_NEW_PRIVS: %w", err)
	}
	set := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	// With TSYNC, a thread that cannot have it is the result.
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&set)))
	switch {
	case errno != 0:
		return fmt.Errorf("seccomp: %w", errno)
	case thread != 0:
		return fmt.Errorf("seccomp: thread %d has another filter", thread)
	}
	return nil
}
