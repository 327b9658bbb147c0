package fs_test

import (
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

// TestRenameBack: the name that a file has left is missing, can be made again, and is
// found then, however often files go to and fro.
func TestRenameBack(t *testing.T) {
	k := syscalls.New(fs.New(tmpfs.New(tmpfs.Limits{}), fs.MountOptions{}))
	const cwd = syscalls.AT_FDCWD
	want(t, "mkdir", k.Mkdirat(cwd, "/d", 0o755), syscall.Errno(0))
	want(t, "first", writeTo(t, k, "/a", "first", syscall.O_CREAT), syscall.Errno(0))
	for range 3 {
		for _, to := range []string{"/b", "/d/a"} {
			want(t, "new name before", textOf(t, k, to), "[no such file or directory]")
			want(t, "rename", k.Renameat2(cwd, "/a", cwd, to, 0), syscall.Errno(0))
			want(t, "old name", textOf(t, k, "/a"), "[no such file or directory]")
			want(t, "new name", textOf(t, k, to), "first")
			want(t, "made again", writeTo(t, k, "/a", "second", syscall.O_CREAT|syscall.O_EXCL), syscall.Errno(0))
			want(t, "what was made", textOf(t, k, "/a"), "second")
			want(t, "unlink", k.Unlinkat(cwd, "/a", 0), syscall.Errno(0))
			want(t, "rename back", k.Renameat2(cwd, to, cwd, "/a", 0), syscall.Errno(0))
			want(t, "names", namesIn(t, k, "/"), "d a")
			want(t, "names below", namesIn(t, k, "/d"), "")
		}
	}
	want(t, "whiteout", k.Renameat2(cwd, "/a", cwd, "/b", fs.RenameWhiteout), syscall.Errno(0))
	var st syscall.Stat_t
	want(t, "stat of a whiteout", k.Fstatat(cwd, "/a", &st, 0), syscall.Errno(0))
	want(t, "kind of a whiteout", st.Mode&syscall.S_IFMT, uint32(syscall.S_IFCHR))
}

// TestRenameUncovers: the fallback has the name that a file has left.
func TestRenameUncovers(t *testing.T) {
	k := fallen(t, fs.MountOptions{})
	const cwd = syscalls.AT_FDCWD
	for range 3 {
		want(t, "made", writeTo(t, k, "/etc/hosts", "ours", syscall.O_CREAT|syscall.O_TRUNC), syscall.Errno(0))
		want(t, "new name before", textOf(t, k, "/etc/mine"), "[no such file or directory]")
		want(t, "rename", k.Renameat2(cwd, "/etc/hosts", cwd, "/etc/mine", 0), syscall.Errno(0))
		want(t, "old name", textOf(t, k, "/etc/hosts"), "theirs\n")
		want(t, "new name", textOf(t, k, "/etc/mine"), "ours")
		want(t, "unlink", k.Unlinkat(cwd, "/etc/mine", 0), syscall.Errno(0))
	}
}
