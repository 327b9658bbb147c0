package devfs_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/devfs"
	"github.com/yolkos/yolk/fs/procfs"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

// withStreams makes a kernel with /dev and /proc whose standard streams are of a kind,
// the output of both being out.
func withStreams(t *testing.T, kind devfs.Kind, in, out fs.Stream) *syscalls.Kernel {
	proc := procfs.New()
	v, _, problems := fs.NewRoot(fs.RootConfig{
		Own:   []fs.Own{{Name: "proc", FS: proc}, {Name: "dev", FS: devfs.New(func([]byte) error { return nil })}},
		Empty: func() fs.FileSystem { return tmpfs.New(tmpfs.Limits{}) },
	})
	if problems != nil {
		t.Fatal(problems)
	}
	k := syscalls.New(v)
	proc.RegisterSelf(&procfs.Self{Process: k, Pid: 1, Internal: v.Internal, Mounts: v.Mounts})
	streams := devfs.NewHostStreams()
	m := v.Internal(streams)
	both := streams.New(out, kind)
	for fd, n := range []fs.Node{streams.New(in, kind), both, both} {
		flags := syscall.O_WRONLY
		if fd == 0 {
			flags = syscall.O_RDONLY
		}
		if e := k.OpenNodeAs(fd, m, n, flags); e != 0 {
			t.Fatal(fd, e)
		}
	}
	return k
}

// streamLine is what a program finds of a standard stream at each of its names: the
// link's text, type of file of the name and of what it leads to, and whether that is
// the descriptor's file. Numbers of inodes are left out.
func streamLine(name, link, text string, lmode, mode uint32, same bool) string {
	text, _, _ = strings.Cut(text, "[")
	return fmt.Sprintf("%s -> %s -> %s %o %o %t\n", name, link, text, lmode&syscall.S_IFMT, mode&syscall.S_IFMT, same)
}

// streamLines asks the system calls of k, or with nil Linux's.
func streamLines(k *syscalls.Kernel) string {
	lstat, stat, fstat := syscall.Lstat, syscall.Stat, syscall.Fstat
	readlink := func(path string) string {
		s, _ := os.Readlink(path)
		return s
	}
	if k != nil {
		lstat = func(path string, st *syscall.Stat_t) error { return some(k.Fstatat(cwd, path, st, 0x100)) }
		stat = func(path string, st *syscall.Stat_t) error { return some(k.Fstatat(cwd, path, st, 0)) }
		fstat = func(fd int, st *syscall.Stat_t) error { return some(k.Fstat(fd, st)) }
		readlink = func(path string) string {
			b := make([]byte, 100)
			n, _ := k.Readlinkat(cwd, path, b)
			return string(b[:max(n, 0)])
		}
	}
	all := ""
	for fd, name := range []string{"stdin", "stdout", "stderr"} {
		var l, s, f syscall.Stat_t
		path := "/dev/" + name
		link := readlink(path)
		if err := lstat(path, &l); err != nil {
			return err.Error()
		}
		if err := stat(path, &s); err != nil {
			return err.Error()
		}
		if err := fstat(fd, &f); err != nil {
			return err.Error()
		}
		all += streamLine(path, link, readlink(link), l.Mode, s.Mode, s.Ino == f.Ino && s.Dev == f.Dev)
	}
	return all
}

func some(e syscall.Errno) error {
	if e != 0 {
		return e
	}
	return nil
}

// TestStreamNames: /dev/stdin and so on are links to the descriptors, as on Linux:
// what they lead to is the file that the program was started with, or that it has put
// in its place since.
func TestStreamNames(t *testing.T) {
	if os.Getenv("STREAM_NAMES") != "" {
		os.Stdout.WriteString(streamLines(nil) + "end\n")
		os.Exit(0)
	}
	e := &echo{}
	k := withStreams(t, devfs.Kind{Mode: syscall.S_IFIFO | 0o600}, &echo{}, e)
	want := ""
	for fd, name := range []string{"stdin", "stdout", "stderr"} {
		want += streamLine("/dev/"+name, fmt.Sprintf("/proc/self/fd/%d", fd), "pipe:[", syscall.S_IFLNK, syscall.S_IFIFO, true)
	}
	if got := streamLines(k); got != want {
		t.Errorf("found:\n%swant:\n%s", got, want)
	}
	t.Run("Linux", func(t *testing.T) {
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestStreamNames$")
		cmd.Env = append(os.Environ(), "STREAM_NAMES=1")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
			t.Skipf("a guest starts no process: %v", err)
		} else if err != nil {
			t.Fatalf("%v\n%s", err, &out)
		}
		if got, _, _ := strings.Cut(out.String(), "end\n"); got != want {
			t.Errorf("found:\n%swant:\n%s", got, want)
		}
	})

	// What is opened by the name writes to the stream, and to what dup2 has made of it.
	write := func(text string, flags int) {
		fd, e := k.Openat(cwd, "/dev/stdout", syscall.O_WRONLY|flags, 0o644)
		if e != 0 {
			t.Fatal(e)
		}
		defer k.Close(fd)
		if n, e := k.Write(fd, []byte(text)); n != len(text) || e != 0 {
			t.Errorf("write: %d, %v", n, e)
		}
	}
	write("one ", syscall.O_APPEND)
	write("two ", syscall.O_CREAT|syscall.O_TRUNC)
	if e.String() != "one two " {
		t.Errorf("the stream has %q", e.String())
	}
	fd, err := k.Openat(cwd, "/file", syscall.O_RDWR|syscall.O_CREAT, 0o644)
	if err != 0 {
		t.Fatal(err)
	}
	if err := k.Dup3(fd, 1, 0); err != 0 {
		t.Fatal(err)
	}
	write("three", 0)
	b := make([]byte, 10)
	if n, _ := k.Pread(fd, b, 0); string(b[:n]) != "three" {
		t.Errorf("the file in its place has %q", b[:n])
	}
	k.Close(1)
	if _, err := k.Openat(cwd, "/dev/stdout", syscall.O_WRONLY, 0); err != syscall.ENOENT {
		t.Errorf("opening what is closed: %v", err)
	}
}

// TestStreamKinds: the link in /proc says what a stream is, and a name that leads
// nowhere is not taken for a path: filepath.EvalSymlinks ends.
func TestStreamKinds(t *testing.T) {
	for kind, want := range map[uint32]string{syscall.S_IFIFO: "pipe:[", syscall.S_IFSOCK: "socket:[", syscall.S_IFREG: "file:[", syscall.S_IFCHR: "file:["} {
		k := withStreams(t, devfs.Kind{Mode: kind | 0o640, Rdev: 0x107, Size: 5}, &echo{}, &echo{})
		b := make([]byte, 100)
		n, e := k.Readlinkat(cwd, "/proc/self/fd/2", b)
		if e != 0 || !strings.HasPrefix(string(b[:n]), want) || filepath.IsAbs(string(b[:n])) {
			t.Errorf("%o: %q, %v", kind, b[:n], e)
		}
		var st syscall.Stat_t
		if e := k.Fstatat(cwd, "/dev/fd/2", &st, 0); e != 0 || st.Mode != kind|0o640 || st.Size != 5 || st.Rdev != 0x107 {
			t.Errorf("%o: %+v, %v", kind, st, e)
		}
	}
}
