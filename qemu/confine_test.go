package qemu

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// tries are what a process might do that has been taken over by its guest, and what its
// work asks for.
var tries = []struct {
	name       string
	try        func() error
	net, files bool // it can be done
}{
	{name: "read a file", net: true, files: true, try: func() error { _, err := os.ReadFile("/etc/hostname"); return ignore(err, os.ErrNotExist) }},
	{name: "list a directory", net: true, files: true, try: func() error { _, err := os.ReadDir("/"); return err }},
	{name: "write a file", files: true, try: func() error { return os.WriteFile("new", nil, 0o600) }},
	{name: "append to a file", files: true, try: func() error { return appendTo("old") }},
	{name: "remove a file", files: true, try: func() error { return os.Remove("old") }},
	{name: "make a directory", files: true, try: func() error { return os.Mkdir("dir", 0o700) }},
	{name: "rename", files: true, try: func() error { return os.Rename("dir", "dir2") }},
	{name: "change a mode", files: true, try: func() error { return os.Chmod("dir2", 0o755) }},
	{name: "open by openat2", files: true, try: func() error {
		fd, err := unix.Openat2(unix.AT_FDCWD, ".", &unix.OpenHow{Flags: unix.O_RDONLY})
		unix.Close(fd)
		return err
	}},
	{name: "dial the internet", net: true, try: func() error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		c, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			c.Close()
		}
		return err
	}},
	{name: "a datagram", net: true, try: func() error { c, err := net.ListenPacket("udp", "127.0.0.1:0"); return closeIt(c, err) }},
	{name: "a socket of the host", try: func() error { return newSocket(unix.AF_UNIX, unix.SOCK_STREAM) }},
	{name: "a socket of the kernel", try: func() error { return newSocket(unix.AF_NETLINK, unix.SOCK_RAW) }},
	{name: "a socket of packets", try: func() error { return newSocket(unix.AF_PACKET, unix.SOCK_RAW) }},
	{name: "threads", net: true, files: true, try: manyThreads},
	{name: "a program", try: func() error { return exec.Command("/proc/self/exe", "-h").Run() }},
	{name: "become a program", try: func() error { return syscall.Exec("/proc/self/exe", []string{"x"}, nil) }},
	{name: "fork", try: func() error {
		pid, _, errno := unix.RawSyscall(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0)
		if errno == 0 && pid == 0 {
			unix.Exit(0)
		}
		return errnoError(errno)
	}},
	{name: "signal another", try: func() error { return unix.Kill(os.Getppid(), 0) }},
	{name: "signal all", try: func() error { return unix.Kill(-1, 0) }},
	{name: "signal itself", net: true, files: true, try: func() error { return unix.Kill(os.Getpid(), 0) }},
	{name: "trace", try: func() error { return unix.PtraceAttach(os.Getppid()) }},
	{name: "read memory", try: func() error {
		b := make([]byte, 8)
		_, err := unix.ProcessVMReadv(os.Getppid(), []unix.Iovec{{Base: &b[0], Len: 8}}, []unix.RemoteIovec{{Base: 0x400000, Len: 8}}, 0)
		return err
	}},
	{name: "limits of another", try: func() error { return unix.Prlimit(os.Getppid(), unix.RLIMIT_CORE, nil, new(unix.Rlimit)) }},
	{name: "mount", try: func() error { return unix.Mount("none", "/tmp", "tmpfs", 0, "") }},
	{name: "a name space", try: func() error { return unix.Unshare(unix.CLONE_NEWUSER) }},
	{name: "another root", try: func() error { return unix.Chroot("/") }},
	{name: "io_uring", try: func() error {
		_, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0)
		return errnoError(errno)
	}},
	{name: "32-bit calls", try: func() error {
		_, _, errno := unix.RawSyscall(x32|unix.SYS_GETPID, 0, 0, 0)
		return errnoError(errno)
	}},
	{name: "a set-user-ID program's rights", try: func() error {
		v, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
		if err == nil && v == 1 {
			err = unix.EPERM
		}
		return err
	}},
}

func ignore(err, what error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}

func errnoError(e unix.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}

func closeIt(c net.PacketConn, err error) error {
	if err == nil {
		c.Close()
	}
	return err
}

func newSocket(domain, kind int) error {
	fd, err := unix.Socket(domain, kind, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func appendTo(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		f.Close()
	}
	return err
}

// manyThreads has the runtime make threads.
func manyThreads() error {
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			var p [2]int
			if unix.Pipe2(p[:], 0) == nil {
				_ = unix.SetNonblock(p[0], false)
				go func() { _, _ = unix.Write(p[1], []byte{1}) }()
				_, _ = unix.Read(p[0], make([]byte, 1))
				unix.Close(p[0])
				unix.Close(p[1])
			}
		})
	}
	all.Wait()
	return nil
}

// tryConfined tries everything in a process with one of the filters, in a directory of
// its own, and prints what could be done. All threads that there were before have the
// filter as well.
func tryConfined(which string) {
	_ = manyThreads()
	filters := map[string]func(own int) filter{"net": networkFilter, "files": filesFilter}
	if make := filters[which]; make != nil {
		confine(which, make)
	}
	for _, t := range tries {
		if err := t.try(); err == nil {
			fmt.Println(t.name)
		} else {
			fmt.Fprintf(os.Stderr, "%s: %v\n", t.name, err)
		}
	}
}

// TestConfined: what can be done is what the work of a process asks for, and no more.
func TestConfined(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, which := range []string{"net", "files"} {
		var want []string
		for _, x := range tries {
			if which == "net" && x.net || which == "files" && x.files {
				want = append(want, x.name)
			}
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "old"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(self, "confined", which)
		cmd.Dir = dir
		var complaints strings.Builder
		cmd.Stderr = &complaints
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v\n%s", which, err, &complaints)
		}
		if got := strings.Split(strings.TrimSpace(string(out)), "\n"); !slices.Equal(got, want) || strings.Contains(complaints.String(), "is not confined") {
			t.Errorf("%s: can\n%s\nwant\n%s\n%s", which, strings.Join(got, "\n"), strings.Join(want, "\n"), &complaints)
		}
	}
}
