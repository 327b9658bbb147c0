// Program xsys uses a file by the calls of golang.org/x/sys/unix and says what
// it sees. It prints the same on Linux, but for the terminal's error.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// raw makes a system call by the instruction.
func raw(num, a1 uintptr) uintptr

func main() {
	if err := use(os.Args[1]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// results prints all that ways to make a call return: calls that go well, and
// those that do not.
func results() {
	const fd = ^uintptr(0) // none
	for i, call := range []func(num, a1, a2, a3 uintptr) (uintptr, uintptr, syscall.Errno){unix.Syscall, unix.RawSyscall, syscall.Syscall, syscall.RawSyscall} {
		r1, r2, e := call(unix.SYS_MPROTECT, 0, 0, unix.PROT_READ)
		s1, s2, f := call(unix.SYS_DUP3, fd, 7, 0)
		fmt.Println("results:", i, r1, r2, e == 0, s1 == fd, s2, f)
	}
	for i, call := range []func(num, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, uintptr, syscall.Errno){unix.Syscall6, unix.RawSyscall6, syscall.Syscall6, syscall.RawSyscall6} {
		r1, r2, e := call(unix.SYS_MPROTECT, 0, 0, unix.PROT_READ, 0, 0, 0)
		s1, s2, f := call(unix.SYS_PREAD64, fd, 0, 5, 6, 0, 0)
		fmt.Println("results:", i, r1, r2, e == 0, s1 == fd, s2, f)
	}
	for i, call := range []func(num, a1, a2, a3 uintptr) (uintptr, uintptr){unix.SyscallNoError, unix.RawSyscallNoError} {
		r1, r2 := call(unix.SYS_MPROTECT, 0, 0, unix.PROT_READ)
		fmt.Println("results:", i, r1, r2)
	}
}

func use(dir string) error {
	results()
	fd, err := unix.Open(filepath.Join(dir, "file"), unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o640)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer unix.Close(fd)
	if n, err := unix.Pwritev(fd, [][]byte{[]byte("some "), []byte("text")}, 4096); n != 9 || err != nil {
		return fmt.Errorf("pwritev: %d, %w", n, err)
	}
	if err := unix.Ftruncate(fd, 8192); err != nil {
		return fmt.Errorf("ftruncate: %w", err)
	}

	data, err := unix.Mmap(fd, 0, 8192, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	fmt.Printf("mapped %q\n", data[4096:4105])
	copy(data[4101:], "more")
	for call, err := range map[string]error{
		"msync": unix.Msync(data, unix.MS_SYNC), "madvise": unix.Madvise(data, unix.MADV_RANDOM),
		"mlock": unix.Mlock(data), "munlock": unix.Munlock(data), "munmap": unix.Munmap(data),
		"fadvise": unix.Fadvise(fd, 0, 0, unix.FADV_SEQUENTIAL), "syncfs": unix.Syncfs(fd),
	} {
		if err != nil {
			return fmt.Errorf("%s: %w", call, err)
		}
	}
	buf := make([]byte, 9)
	if n, err := unix.Pread(fd, buf, 4096); n != 9 || err != nil {
		return fmt.Errorf("pread: %d, %w", n, err)
	}
	fmt.Printf("read %q\n", buf)

	// Names are exchanged and not replaced, as the flags say.
	for _, name := range []string{"r1", "r2"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("was "+name), 0o600); err != nil {
			return err
		}
	}
	ren := func(flags uint) error {
		return unix.Renameat2(unix.AT_FDCWD, filepath.Join(dir, "r1"), unix.AT_FDCWD, filepath.Join(dir, "r2"), flags)
	}
	fmt.Println("renames:", ren(unix.RENAME_NOREPLACE), ren(unix.RENAME_EXCHANGE), ren(unix.RENAME_EXCHANGE|unix.RENAME_NOREPLACE), ren(8))
	text, err := os.ReadFile(filepath.Join(dir, "r1"))
	fmt.Printf("exchanged: %q %v\n", text, err)

	other, err := unix.Open(filepath.Join(dir, "file"), unix.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	defer unix.Close(other)
	fmt.Println("lock", unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB), unix.Flock(other, unix.LOCK_EX|unix.LOCK_NB) == unix.EWOULDBLOCK)

	var st, at unix.Stat_t
	if err := errors.Join(unix.Fstat(fd, &st), unix.Fstatat(unix.AT_FDCWD, filepath.Join(dir, "file"), &at, unix.AT_SYMLINK_NOFOLLOW)); err != nil {
		return fmt.Errorf("stat: %w", err)
	}
	fmt.Printf("stat %o %d %t\n", st.Mode, st.Size, st.Ino == at.Ino)
	var fs unix.Statfs_t
	var name unix.Utsname
	if err := errors.Join(unix.Fstatfs(fd, &fs), unix.Uname(&name)); err != nil {
		return fmt.Errorf("statfs, uname: %w", err)
	}
	fmt.Println("sizes", fs.Bsize > 0, unix.ByteSliceToString(name.Machine[:]), unix.Getpagesize())

	dirfd, err := unix.Open(dir, unix.O_DIRECTORY|unix.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	defer unix.Close(dirfd)
	link := make([]byte, 100)
	err = errors.Join(
		unix.Mkdirat(dirfd, "sub", 0o755), unix.Symlinkat("file", dirfd, "sub/link"), unix.Linkat(dirfd, "file", dirfd, "sub/hard", 0),
		unix.Renameat(dirfd, "sub/hard", dirfd, "sub/name"),
		unix.UtimesNanoAt(dirfd, "sub/name", []unix.Timespec{{Sec: 1}, {Sec: 2, Nsec: 3}}, 0))
	n, lerr := unix.Readlinkat(dirfd, "sub/link", link)
	if err = errors.Join(err, lerr, unix.Fstat(fd, &st)); err != nil {
		return err
	}
	fmt.Println("names", string(link[:n]), st.Nlink, st.Mtim)
	if err := errors.Join(unix.Unlinkat(dirfd, "sub/link", 0), unix.Unlinkat(dirfd, "sub/name", 0), unix.Unlinkat(dirfd, "sub", unix.AT_REMOVEDIR)); err != nil {
		return err
	}
	if _, err := unix.Seek(dirfd, 0, unix.SEEK_SET); err != nil {
		return err
	}
	entries := make([]byte, 4096)
	n, err = unix.ReadDirent(dirfd, entries)
	if err != nil {
		return err
	}
	_, count, names := unix.ParseDirent(entries[:n], -1, nil)
	fmt.Println("directory", count, names)

	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return err
	}
	fmt.Println("flags", flags&unix.O_ACCMODE == unix.O_RDWR, unix.ErrnoName(unix.ENOSPC), unix.SignalName(unix.SIGTERM))
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return err
	}
	random := make([]byte, 16)
	if n, err := unix.Getrandom(random, 0); n != 16 || err != nil {
		return fmt.Errorf("getrandom: %d, %w", n, err)
	}
	fmt.Println("instruction", int(raw(unix.SYS_GETPID, 0)) == os.Getpid(), -int(raw(unix.SYS_CLOSE, ^uintptr(0))) == int(unix.EBADF))
	_, err = unix.IoctlGetTermios(fd, unix.TCGETS)
	fmt.Println("clock", now.Nano() > 0, "terminal", err == unix.ENOTTY)
	return control(dir, fd)
}

// control does what is beyond files and names with fd, "file" in dir.
func control(dir string, fd int) error {
	const fionread = 0x541b
	if _, err := unix.Seek(fd, 8000, unix.SEEK_SET); err != nil {
		return err
	}
	left, err := unix.IoctlGetInt(fd, fionread)
	if err != nil {
		return fmt.Errorf("ioctl: %w", err)
	}
	_, err = unix.IoctlGetInt(fd, 0xabcd)
	fmt.Println("ioctl", left, err == unix.ENOTTY)
	// In a guest the file system has asked the server for the second.
	stats, _ := os.ReadFile("/proc/yolk/fuse")
	for line := range strings.Lines(string(stats)) {
		if strings.Contains(line, "IOCTL") {
			fmt.Fprint(os.Stderr, line)
		}
	}

	var stx unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, filepath.Join(dir, "file"), unix.AT_SYMLINK_NOFOLLOW, unix.STATX_ALL, &stx); err != nil {
		return fmt.Errorf("statx: %w", err)
	}
	fmt.Printf("statx %o %d %d %t\n", stx.Mode, stx.Size, stx.Mtime.Sec, stx.Mask&unix.STATX_BASIC_STATS == unix.STATX_BASIC_STATS)

	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	fds := []unix.PollFd{{Fd: int32(p[0]), Events: unix.POLLIN}, {Fd: int32(fd), Events: unix.POLLIN}, {Fd: 1000, Events: unix.POLLIN}}
	n, err := unix.Poll(fds, -1)
	if err != nil {
		return fmt.Errorf("poll: %w", err)
	}
	fmt.Printf("poll %d %#x %#x %#x", n, fds[0].Revents, fds[1].Revents, fds[2].Revents)
	n, err = unix.Poll(fds[:1], 1)
	fmt.Print(" nothing ", n, err)
	unix.Write(p[1], []byte("x"))
	unix.Close(p[1])
	n, err = unix.Poll(fds[:1], -1)
	fmt.Printf(" pipe %d %v %#x\n", n, err, fds[0].Revents)
	return nil
}
