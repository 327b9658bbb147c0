package syscalls

import (
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
)

func TestMountCalls(t *testing.T) {
	k := newKernel(t)
	ok(t, k.Mkdirat(AT_FDCWD, "m", 0o755))
	is(t, "mount without types", k.Mount("", "m", "tmpfs", 0, ""), syscall.ENODEV)
	k.FileSystems = func(fstype, source, data string) (fs.FileSystem, error) {
		if fstype != "tmpfs" {
			return nil, syscall.ENODEV
		}
		return tmpfs.New(tmpfs.Limits{}), nil
	}
	is(t, "mount an unknown type", k.Mount("", "m", "ext4", 0, ""), syscall.ENODEV)
	is(t, "mount with unknown flags", k.Mount("", "m", "tmpfs", 0x1000, ""), syscall.EINVAL)
	is(t, "mount on nothing", k.Mount("", "none", "tmpfs", 0, ""), syscall.ENOENT)
	ok(t, k.Mount("name", "m", "tmpfs", msRdonly, ""))
	_, e := k.Openat(AT_FDCWD, "m/f", syscall.O_CREAT|syscall.O_WRONLY, 0o644)
	is(t, "create", e, syscall.EROFS)
	var st syscall.Statfs_t
	ok(t, k.Statfs("m", &st))
	if st.Flags&stRdonly == 0 || st.Type != 0x01021994 {
		t.Errorf("statfs: flags %#x, type %#x", st.Flags, st.Type)
	}
	fd := open(t, k, "m", syscall.O_RDONLY)
	is(t, "fchmod, read-only", k.Fchmod(fd, 0o700), syscall.EROFS)
	is(t, "unmount what is in use", k.Unmount("m", 0), syscall.EBUSY)
	ok(t, k.Close(fd))
	ok(t, k.Chdir("m"))
	is(t, "unmount the working directory", k.Unmount("/m", 0), syscall.EBUSY)
	ok(t, k.Chdir("/"))
	ok(t, k.Unmount("m", 0))
	is(t, "unmount again", k.Unmount("m", 0), syscall.EINVAL)

	const nosuid, nodev, noatime, bind, expire = 2, 4, 0x400, 0x1000, 4
	ok(t, k.Mount("", "m", "tmpfs", 0xc0ed0000|nosuid|nodev|noatime, ""))
	is(t, "a second place", k.Mount("m", "m", "", bind, ""), syscall.EINVAL)
	ok(t, k.Symlinkat("m", AT_FDCWD, "l"))
	is(t, "unmount a link", k.Unmount("l", umountNoFollow), syscall.EINVAL)
	is(t, "expire", k.Unmount("m", expire), syscall.EINVAL)
	fd = open(t, k, "m/f", syscall.O_CREAT|syscall.O_RDWR)
	is(t, "force out what is in use", k.Unmount("m", mntForce), syscall.EBUSY)
	ok(t, k.Unmount("l", mntDetach))
	if n, e := k.Write(fd, []byte("text")); n != 4 || e != 0 {
		t.Errorf("writing to what is detached: %d, %v", n, e)
	}
	ok(t, k.Unlinkat(AT_FDCWD, "m", AT_REMOVEDIR)) // it is no mount point any more
	ok(t, k.Close(fd))
}

func TestCopyFileRange(t *testing.T) {
	k := newKernel(t)
	long := strings.Repeat("0123456789", 60_000)
	put(t, k, "from", long)
	put(t, k, "to", "")
	r, w := open(t, k, "from", syscall.O_RDONLY), open(t, k, "to", syscall.O_RDWR)
	n, e := k.CopyFileRange(r, nil, w, nil, 1<<20, 0)
	if n != len(long) || e != 0 {
		t.Errorf("copied %d, %v", n, e)
	}
	n, e = k.CopyFileRange(r, nil, w, nil, 1<<20, 0)
	if n != 0 || e != 0 {
		t.Errorf("at the end: copied %d, %v", n, e)
	}
	from, to := int64(3), int64(1)
	n, e = k.CopyFileRange(r, &from, w, &to, 4, 0)
	if n != 4 || e != 0 || from != 7 || to != 5 {
		t.Errorf("copied %d, %v; offsets %d, %d", n, e, from, to)
	}
	if s := get(t, k, "to"); s[:7] != "0345656" {
		t.Errorf("the copy has %q", s[:7])
	}
	// Inside one file, with the positions of two descriptors and of one.
	w2 := open(t, k, "to", syscall.O_RDWR)
	k.Seek(w2, 100, SEEK_SET)
	k.Seek(w, 0, SEEK_SET)
	n, e = k.CopyFileRange(w, nil, w2, nil, 50, 0)
	if n != 50 || e != 0 {
		t.Errorf("copied %d, %v", n, e)
	}
	_, e = k.CopyFileRange(w, nil, w, nil, 50, 0)
	is(t, "onto itself", e, syscall.EINVAL)
	_, e = k.CopyFileRange(w, nil, r, nil, 50, 0)
	is(t, "to what is open for reading", e, syscall.EBADF)
	_, e = k.CopyFileRange(open(t, k, "/", syscall.O_RDONLY), nil, w, nil, 1, 0)
	is(t, "a directory", e, syscall.EISDIR)
}

func TestLinkTmpfile(t *testing.T) {
	const oTmpfile = 0x410000
	k := newKernel(t)
	fd, e := k.Openat(AT_FDCWD, "/", oTmpfile|syscall.O_RDWR, 0o600)
	ok(t, e)
	k.Write(fd, []byte("text"))
	ok(t, k.Linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH))
	ok(t, k.Close(fd))
	if s := get(t, k, "named"); s != "text" {
		t.Errorf("the file has %q", s)
	}
	fd, e = k.Openat(AT_FDCWD, "/", oTmpfile|syscall.O_RDWR|syscall.O_EXCL, 0o600)
	ok(t, e)
	is(t, "link what was opened with O_EXCL", k.Linkat(fd, "", AT_FDCWD, "other", AT_EMPTY_PATH), syscall.ENOENT)
	_, e = k.Openat(AT_FDCWD, "named", oTmpfile|syscall.O_RDWR, 0o600)
	is(t, "in a file", e, syscall.ENOTDIR)
	_, e = k.Openat(AT_FDCWD, "/", oTmpfile, 0o600)
	is(t, "for reading", e, syscall.EINVAL)
}

// TestStatFields has every field of a stat distinct.
func TestStatFields(t *testing.T) {
	a := fs.Attr{Dev: 1, Ino: 2, Mode: 3, Nlink: 4, Uid: 5, Gid: 6, Rdev: 7, Size: 8, Blocks: 9, Blksize: 10,
		Atime: fs.Time{Sec: 11, Nsec: 12}, Mtime: fs.Time{Sec: 13, Nsec: 14}, Ctime: fs.Time{Sec: 15, Nsec: 16}}
	st := syscall.Stat_t{X__pad0: 99}
	fillStat(&st, &a)
	want := syscall.Stat_t{Dev: 1, Ino: 2, Mode: 3, Nlink: 4, Uid: 5, Gid: 6, Rdev: 7, Size: 8, Blocks: 9, Blksize: 10,
		Atim: syscall.Timespec{Sec: 11, Nsec: 12}, Mtim: syscall.Timespec{Sec: 13, Nsec: 14}, Ctim: syscall.Timespec{Sec: 15, Nsec: 16}}
	if st != want {
		t.Errorf("got %+v", st)
	}
}

func TestErrno(t *testing.T) {
	wrapped := &strangeError{syscall.EBUSY}
	for _, c := range []struct {
		err  error
		want syscall.Errno
	}{{nil, 0}, {syscall.ENOENT, syscall.ENOENT}, {wrapped, syscall.EBUSY}, {&strangeError{nil}, syscall.EIO}} {
		is(t, "errno", errno(c.err), c.want)
	}
}

type strangeError struct{ err error }

func (e *strangeError) Error() string { return "strange" }
func (e *strangeError) Unwrap() error { return e.err }
