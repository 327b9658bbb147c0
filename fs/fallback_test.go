package fs_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

// fallen is a kernel whose root lacks /etc, which the fallback has.
func fallen(t *testing.T, o fs.MountOptions) *syscalls.Kernel {
	v := fs.New(tmpfs.New(tmpfs.Limits{}), o)
	f := synth.New("ramfs", 1)
	text := func(s string) *synth.Text { return f.NewText(func(b []byte) []byte { return append(b, s...) }) }
	f.Dir().Add("etc/hosts", text("theirs\n"))
	f.Dir().Add("etc/ssl/certs", text("certs\n"))
	f.Dir().Add("etc/link", f.NewLink("/etc/hosts"))
	f.Dir().Add("prog", text("image"))
	v.SetFallback(f)
	return syscalls.New(v)
}

func textOf(t *testing.T, k *syscalls.Kernel, path string) string {
	t.Helper()
	fd, e := k.Openat(syscalls.AT_FDCWD, path, syscall.O_RDONLY, 0)
	if e != 0 {
		return "[" + e.Error() + "]"
	}
	defer k.Close(fd)
	buf := make([]byte, 100)
	n, e := k.Read(fd, buf)
	if e != 0 {
		return "[" + e.Error() + "]"
	}
	return string(buf[:n])
}

func namesIn(t *testing.T, k *syscalls.Kernel, path string) string {
	t.Helper()
	fd, e := k.Openat(syscalls.AT_FDCWD, path, syscall.O_RDONLY, 0)
	if e != 0 {
		return "[" + e.Error() + "]"
	}
	defer k.Close(fd)
	buf := make([]byte, 1000)
	n, _ := k.ReadDirent(fd, buf)
	_, _, names := syscall.ParseDirent(buf[:n], -1, nil)
	return strings.Join(names, " ")
}

func writeTo(t *testing.T, k *syscalls.Kernel, path, text string, flags int) syscall.Errno {
	t.Helper()
	fd, e := k.Openat(syscalls.AT_FDCWD, path, syscall.O_WRONLY|flags, 0o644)
	if e != 0 {
		return e
	}
	defer k.Close(fd)
	_, e = k.Write(fd, []byte(text))
	return e
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestFallback: what the root lacks is there for those who ask for it by name.
func TestFallback(t *testing.T) {
	k := fallen(t, fs.MountOptions{})
	const cwd = syscalls.AT_FDCWD
	for range 2 { // the second time from the cache
		want(t, "file", textOf(t, k, "/etc/hosts"), "theirs\n")
		want(t, "file below", textOf(t, k, "/etc/ssl/certs"), "certs\n")
		want(t, "link", textOf(t, k, "/etc/link"), "theirs\n")
		want(t, "file of the root", textOf(t, k, "/prog"), "image")
		want(t, "what nobody has", textOf(t, k, "/etc/none"), "[no such file or directory]")
		want(t, "listing of the root", namesIn(t, k, "/"), "")
		want(t, "listing of /etc", namesIn(t, k, "/etc"), "hosts ssl link")
	}
	k.Chdir("/etc/ssl")
	dir, _ := k.Getcwd()
	want(t, "working directory", dir, "/etc/ssl")
	want(t, "relative", textOf(t, k, "../hosts"), "theirs\n")
	var st syscall.Stat_t
	want(t, "stat", k.Fstatat(cwd, "/etc", &st, 0), syscall.Errno(0))
	want(t, "mode", st.Mode&syscall.S_IFMT, uint32(syscall.S_IFDIR))
	// It takes no changes.
	want(t, "write", writeTo(t, k, "/etc/hosts", "x", 0), syscall.EROFS)
	want(t, "truncate", k.Truncate("/etc/hosts", 0), syscall.EROFS)
	want(t, "chmod", k.Fchmodat(cwd, "/etc/hosts", 0o600, 0), syscall.EROFS)
	want(t, "unlink", k.Unlinkat(cwd, "/etc/hosts", 0), syscall.ENOENT)
	want(t, "rmdir", k.Unlinkat(cwd, "/etc", syscalls.AT_REMOVEDIR), syscall.ENOENT)
	want(t, "rename", k.Renameat2(cwd, "/etc/hosts", cwd, "/h", 0), syscall.ENOENT)
	want(t, "link", k.Linkat(cwd, "/etc/hosts", cwd, "/h", 0), syscall.EXDEV)
	want(t, "all of that", namesIn(t, k, "/"), "")
}

// TestCover: what is covered hides the root's own, which stays as it is.
func TestCover(t *testing.T) {
	const cwd = syscalls.AT_FDCWD
	root := tmpfs.New(tmpfs.Limits{})
	k := syscalls.New(fs.New(root, fs.MountOptions{}))
	want(t, "mkdir", k.Mkdirat(cwd, "/etc", 0o755), syscall.Errno(0))
	for _, name := range []string{"/etc/hosts", "/etc/other"} {
		want(t, name, writeTo(t, k, name, "ours", syscall.O_CREAT), syscall.Errno(0))
	}
	f := synth.New("ramfs", 1)
	for _, name := range []string{"etc/hosts", "etc/other"} {
		f.Dir().Add(name, f.NewText(func(b []byte) []byte { return append(b, "theirs"...) }))
	}
	f.Dir().Add("lib/hosts", f.NewText(func(b []byte) []byte { return append(b, "lib's"...) }))
	w := fs.New(root, fs.MountOptions{})
	k = syscalls.New(w)
	w.SetFallback(f)
	w.Cover("/etc/hosts")
	for range 2 {
		want(t, "covered", textOf(t, k, "/etc/hosts"), "theirs")
		want(t, "another", textOf(t, k, "/etc/other"), "ours")
		want(t, "exclusive", writeTo(t, k, "/etc/hosts", "x", syscall.O_CREAT|syscall.O_EXCL), syscall.EEXIST)
		want(t, "unlink", k.Unlinkat(cwd, "/etc/hosts", 0), syscall.EBUSY)
		want(t, "the listing", namesIn(t, k, "/etc"), "hosts other")
	}
	// Elsewhere the name is like any other, as it is of the fallback's other files.
	want(t, "elsewhere", writeTo(t, k, "/hosts", "x", syscall.O_CREAT), syscall.Errno(0))
	want(t, "two names", writeTo(t, k, "/etc/etc/hosts", "x", syscall.O_CREAT), syscall.ENOENT)
	want(t, "the fallback's", textOf(t, k, "/lib/hosts"), "lib's")
	want(t, "and the root's over it", writeTo(t, k, "/lib/hosts", "ours", syscall.O_CREAT|syscall.O_TRUNC), syscall.Errno(0))
	want(t, "which wins", textOf(t, k, "/lib/hosts"), "ours")
}

// TestFallbackYields: what is made goes into the root, which wins.
func TestFallbackYields(t *testing.T) {
	const cwd = syscalls.AT_FDCWD
	for name, c := range map[string]struct {
		do   func(k *syscalls.Kernel) syscall.Errno
		path string
		has  string
		list string // of /etc
	}{
		"replaced": {func(k *syscalls.Kernel) syscall.Errno {
			return writeTo(t, k, "/etc/hosts", "ours", syscall.O_CREAT|syscall.O_TRUNC)
		}, "/etc/hosts", "ours", "hosts"},
		"new": {func(k *syscalls.Kernel) syscall.Errno {
			return writeTo(t, k, "/etc/hosts", "ours", syscall.O_CREAT|syscall.O_EXCL)
		}, "/etc/hosts", "ours", "hosts"},
		"appended": {func(k *syscalls.Kernel) syscall.Errno {
			return writeTo(t, k, "/etc/hosts", "and ours", syscall.O_CREAT|syscall.O_APPEND)
		}, "/etc/hosts", "theirs\nand ours", "hosts"},
		"other": {func(k *syscalls.Kernel) syscall.Errno {
			return writeTo(t, k, "/etc/app.conf", "ours", syscall.O_CREAT)
		}, "/etc/hosts", "theirs\n", "app.conf"},
		"two deep": {func(k *syscalls.Kernel) syscall.Errno {
			return writeTo(t, k, "/etc/ssl/my", "ours", syscall.O_CREAT)
		}, "/etc/ssl/my", "ours", "ssl"},
		"mkdir": {func(k *syscalls.Kernel) syscall.Errno { return k.Mkdirat(cwd, "/etc", 0o700) },
			"/etc/hosts", "theirs\n", ""},
		"mkdir below": {func(k *syscalls.Kernel) syscall.Errno { return k.Mkdirat(cwd, "/etc/ssl", 0o700) },
			"/etc/ssl/certs", "certs\n", "ssl"},
		"rename over": {func(k *syscalls.Kernel) syscall.Errno {
			if e := writeTo(t, k, "/etc/tmp", "ours", syscall.O_CREAT); e != 0 {
				return e
			}
			return k.Renameat2(cwd, "/etc/tmp", cwd, "/etc/hosts", 0)
		}, "/etc/hosts", "ours", "hosts"},
		"rename into": {func(k *syscalls.Kernel) syscall.Errno {
			if e := writeTo(t, k, "/tmp", "ours", syscall.O_CREAT); e != 0 {
				return e
			}
			return k.Renameat2(cwd, "/tmp", cwd, "/etc/hosts", fs.RenameNoReplace)
		}, "/etc/hosts", "ours", "hosts"},
		"symlink": {func(k *syscalls.Kernel) syscall.Errno { return k.Symlinkat("/prog", cwd, "/etc/hosts") },
			"/etc/hosts", "image", "hosts"},
		"back again": {func(k *syscalls.Kernel) syscall.Errno {
			if e := writeTo(t, k, "/etc/hosts", "ours", syscall.O_CREAT); e != 0 {
				return e
			}
			return k.Unlinkat(cwd, "/etc/hosts", 0)
		}, "/etc/hosts", "theirs\n", ""},
		"read with O_CREAT": {func(k *syscalls.Kernel) syscall.Errno {
			fd, e := k.Openat(cwd, "/etc/hosts", syscall.O_RDONLY|syscall.O_CREAT, 0o644)
			k.Close(fd)
			return e
		}, "/etc/hosts", "theirs\n", ""},
	} {
		for _, asked := range []bool{false, true} {
			k := fallen(t, fs.MountOptions{})
			if asked {
				textOf(t, k, "/etc/hosts")
				textOf(t, k, "/etc/ssl/certs")
			}
			want(t, name, c.do(k), syscall.Errno(0))
			want(t, name, textOf(t, k, c.path), c.has)
			want(t, name+": listing", namesIn(t, k, "/etc"), c.list)
		}
	}
}

// TestFallbackReadOnly: a root that takes no changes has a fallback all the same.
func TestFallbackReadOnly(t *testing.T) {
	k := fallen(t, fs.MountOptions{ReadOnly: true})
	want(t, "file", textOf(t, k, "/etc/hosts"), "theirs\n")
	want(t, "made", writeTo(t, k, "/etc/hosts", "x", syscall.O_CREAT|syscall.O_TRUNC), syscall.EROFS)
	want(t, "made", writeTo(t, k, "/etc/new", "x", syscall.O_CREAT), syscall.EROFS)
	want(t, "mkdir", k.Mkdirat(syscalls.AT_FDCWD, "/etc/d", 0o755), syscall.EROFS)
}

// TestFallbackOfMount: the fallback goes by paths, whatever is mounted there.
func TestFallbackOfMount(t *testing.T) {
	k := fallen(t, fs.MountOptions{})
	k.Mkdirat(syscalls.AT_FDCWD, "/etc", 0o755)
	v := k.VFS()
	if err := v.Mount(fs.Base{}, "/etc", tmpfs.New(tmpfs.Limits{}), fs.MountOptions{}); err != nil {
		t.Fatal(err)
	}
	want(t, "in a mount", textOf(t, k, "/etc/hosts"), "theirs\n")
	want(t, "unmount", k.Unmount("/etc", 0), syscall.Errno(0))
	// In another root there is none.
	k.Mkdirat(syscalls.AT_FDCWD, "/jail", 0o755)
	k.Chroot("/jail")
	want(t, "in a jail", textOf(t, k, "/etc/hosts"), "[no such file or directory]")
}
