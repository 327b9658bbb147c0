//go:build tamago

package unix

import (
	"syscall"
	"unsafe"
)

const ImplementsGetwd = true

func Getpid() int                           { return syscall.Getpid() }
func Getppid() int                          { return syscall.Getppid() }
func Gettid() int                           { return syscall.Gettid() }
func Getpgrp() int                          { return syscall.Getpgrp() }
func Getpgid(pid int) (pgid int, err error) { return syscall.Getpgid(pid) }
func Getsid(pid int) (sid int, err error)   { return syscall.Getpgid(pid) }
func Getuid() int                           { return syscall.Getuid() }
func Geteuid() int                          { return syscall.Geteuid() }
func Getgid() int                           { return syscall.Getgid() }
func Getegid() int                          { return syscall.Getegid() }
func Getgroups() (gids []int, err error)    { return syscall.Getgroups() }
func Exit(code int)                         { syscall.Exit(code) }

func Getrlimit(resource int, rlim *Rlimit) error { return syscall.Getrlimit(resource, rlim) }
func Setrlimit(resource int, rlim *Rlimit) error { return syscall.Setrlimit(resource, rlim) }
func Getrusage(who int, rusage *Rusage) error    { return syscall.Getrusage(who, rusage) }

func Kill(pid int, sig syscall.Signal) error { return syscall.Kill(pid, sig) }

func Exec(argv0 string, argv []string, envv []string) error {
	return syscall.Exec(argv0, argv, envv)
}

func Wait4(pid int, wstatus *WaitStatus, options int, rusage *Rusage) (wpid int, err error) {
	return syscall.Wait4(pid, wstatus, options, rusage)
}

// The only process keeps its identity: ENOSYS.

func Setuid(uid int) error                 { return ENOSYS }
func Setgid(gid int) error                 { return ENOSYS }
func Setreuid(ruid, euid int) error        { return ENOSYS }
func Setregid(rgid, egid int) error        { return ENOSYS }
func Setresuid(ruid, euid, suid int) error { return ENOSYS }
func Setresgid(rgid, egid, sgid int) error { return ENOSYS }
func Setgroups(gids []int) error           { return ENOSYS }
func Setpgid(pid int, pgid int) error      { return ENOSYS }
func Setsid() (pid int, err error)         { return -1, ENOSYS }

func Getpriority(which int, who int) (prio int, err error) { return -1, ENOSYS }
func Setpriority(which int, who int, prio int) error       { return ENOSYS }

// Utsname holds NUL-terminated strings.
type Utsname struct {
	Sysname    [65]byte
	Nodename   [65]byte
	Release    [65]byte
	Version    [65]byte
	Machine    [65]byte
	Domainname [65]byte
}

// It differs from that of package syscall by the sign of its bytes.
const _ = -(unsafe.Sizeof(Utsname{}) ^ unsafe.Sizeof(syscall.Utsname{}))

func Uname(buf *Utsname) error {
	return syscall.Uname((*syscall.Utsname)(unsafe.Pointer(buf)))
}

// Getrandom reads from /dev/urandom, whatever the flags.
func Getrandom(buf []byte, flags int) (n int, err error) {
	if flags&^(GRND_NONBLOCK|GRND_RANDOM|GRND_INSECURE) != 0 {
		return -1, EINVAL
	}
	if len(buf) == 0 {
		return 0, nil
	}
	fd, err := Open("/dev/urandom", O_RDONLY|O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer Close(fd)
	return Read(fd, buf)
}
