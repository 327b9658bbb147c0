package overlay_test

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fstest"
	"github.com/yolkos/yolk/fs/iofs"
	"github.com/yolkos/yolk/fs/overlay"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

// over makes an overlay over what the files are in an archive.
func over(t testing.TB, files []fstest.File) *overlay.FS {
	t.Helper()
	lower, err := iofs.New(fstest.Pack(t, files), iofs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return overTmpfs(t, lower, tmpfs.Limits{})
}

func overTmpfs(t testing.TB, lower fs.FileSystem, l tmpfs.Limits) *overlay.FS {
	t.Helper()
	f, err := overlay.New(lower, tmpfs.New(l))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSuite runs the suite over nothing, and over a tmpfs, which has attributes and
// FIFOs of its own.
func TestSuite(t *testing.T) {
	t.Run("archive", func(t *testing.T) {
		fstest.Suite(t, fstest.SuiteConfig{New: func(t *testing.T) fs.FileSystem { return over(t, nil) }})
	})
	t.Run("tmpfs", func(t *testing.T) {
		fstest.Suite(t, fstest.SuiteConfig{New: func(t *testing.T) fs.FileSystem {
			return overTmpfs(t, tmpfs.New(tmpfs.Limits{}), tmpfs.Limits{})
		}})
	})
}

// TestReadOnly: what the lower file system has shows as it is.
func TestReadOnly(t *testing.T) {
	fstest.ReadOnlySuite(t, fstest.ReadOnlyConfig{Steps: 1000, Mounted: true, New: func(t *testing.T, files []fstest.File) fs.FileSystem {
		return over(t, files)
	}})
}

// TestRandom plays over a tree on an overlay and on a tmpfs that has the same in it:
// each operation answers as if all were in one. In some of the plays nothing that is not
// in use stays in the cache, so that nodes come and go.
func TestRandom(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			files := fstest.Sample(seed, false)
			want := fstest.NewKernel(tmpfs.New(tmpfs.Limits{}))
			fstest.Grow(t, want, files)
			var lower fs.FileSystem
			if seed%3 == 0 { // one that has attributes, and the times of reads
				lower = tmpfs.New(tmpfs.Limits{})
				k := fstest.NewKernel(lower)
				fstest.Grow(t, k, files)
				for _, path := range []string{"d", "e"} {
					for _, k := range []*syscalls.Kernel{k, want} {
						if e := k.Setxattr(path, "user.lower", []byte(path), 0, false); e != 0 {
							t.Fatal(e)
						}
						ts := [2]syscall.Timespec{{Sec: 9}, {Sec: 9}}
						k.Utimensat(-100, path, &ts, 0)
					}
				}
			} else {
				f, err := iofs.New(fstest.Pack(t, files), iofs.Options{})
				if err != nil {
					t.Fatal(err)
				}
				lower = f
			}
			got := fstest.NewKernel(overTmpfs(t, lower, tmpfs.Limits{}))
			if seed%2 == 0 {
				got.VFS().SetCacheSize(0)
			}
			fstest.Random(t, want, got, fstest.RandomConfig{Seed: seed, Steps: 4000, Every: 100})
		})
	}
}

// sys is a system whose root is f, with what the tests need to ask it.
type sys struct {
	*syscalls.Kernel
	t *testing.T
}

func (s sys) ok(what string, e syscall.Errno) {
	s.t.Helper()
	if e != 0 {
		s.t.Fatalf("%s: %v", what, e)
	}
}

func (s sys) open(path string, flags int) int {
	s.t.Helper()
	fd, e := s.Openat(syscalls.AT_FDCWD, path, flags, 0o644)
	s.ok("open "+path, e)
	return fd
}

func (s sys) write(path, text string) {
	s.t.Helper()
	fd := s.open(path, syscall.O_WRONLY)
	_, e := s.Write(fd, []byte(text))
	s.ok("write "+path, e)
	s.ok("close", s.Close(fd))
}

func (s sys) read(fd int) string {
	s.t.Helper()
	buf := make([]byte, 1<<20)
	n, e := s.Pread(fd, buf, 0)
	s.ok("read", e)
	return string(buf[:n])
}

func (s sys) stat(path string) (st syscall.Stat_t) {
	s.t.Helper()
	s.ok("stat "+path, s.Fstatat(syscalls.AT_FDCWD, path, &st, syscalls.AT_SYMLINK_NOFOLLOW))
	return st
}

// TestCopyUpIsTheSameFile: a file that is copied up keeps its number and its other names,
// and whoever had it open reads what is written from then on.
func TestCopyUpIsTheSameFile(t *testing.T) {
	for _, cache := range []int{0, 1000} {
		f := over(t, []fstest.File{
			{Path: "d", Mode: syscall.S_IFDIR | 0o755},
			{Path: "d/a", Mode: syscall.S_IFREG | 0o640, Uid: 3, Gid: 4, Mtime: 77, Text: "lower text"},
			{Path: "b", Same: "d/a"},
		})
		s := sys{fstest.NewKernel(f), t}
		s.VFS().SetCacheSize(cache)
		reader := s.open("b", syscall.O_RDONLY)
		before := s.stat("d/a")
		s.ok("chmod", s.Fchmodat(syscalls.AT_FDCWD, "d/a", 0o600, 0))
		if st := s.stat("b"); st.Ino != before.Ino || st.Nlink != 2 || st.Mode != syscall.S_IFREG|0o600 || st.Uid != 3 || st.Gid != 4 || st.Mtim.Sec != 77 {
			t.Errorf("by its other name: %+v; before %+v", st, before)
		}
		s.write("d/a", "UPPER")
		if got := s.read(reader); got != "UPPER text" {
			t.Errorf("who had it open reads %q", got)
		}
		s.ok("unlink", s.Unlinkat(syscalls.AT_FDCWD, "d/a", 0))
		if st := s.stat("b"); st.Ino != before.Ino || st.Nlink != 1 {
			t.Errorf("with one name: %+v", st)
		}
		s.ok("unlink", s.Unlinkat(syscalls.AT_FDCWD, "b", 0))
		if got := s.read(reader); got != "UPPER text" {
			t.Errorf("without names: %q", got)
		}
		s.ok("close", s.Close(reader))
	}
}

// TestFullUpper: a file that has no room for its copy stays as it was.
func TestFullUpper(t *testing.T) {
	lower, err := iofs.New(fstest.Pack(t, []fstest.File{
		{Path: "large", Mode: syscall.S_IFREG | 0o644, Text: string(make([]byte, 200_000))},
		{Path: "other", Mode: syscall.S_IFREG | 0o644, Text: string(make([]byte, 300_000))},
		{Path: "small", Mode: syscall.S_IFREG | 0o644, Text: "small"},
	}), iofs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := sys{fstest.NewKernel(overTmpfs(t, lower, tmpfs.Limits{Bytes: 100 << 10})), t}
	var before, after syscall.Statfs_t
	s.ok("statfs", s.Statfs("/", &before))
	if _, e := s.Openat(syscalls.AT_FDCWD, "large", syscall.O_RDWR, 0); e != syscall.ENOSPC {
		t.Errorf("open for writing: %v", e)
	}
	s.ok("statfs", s.Statfs("/", &after))
	if before != after {
		t.Errorf("the space was %+v, and is %+v", before, after)
	}
	if st := s.stat("large"); st.Size != 200_000 {
		t.Errorf("size %d", st.Size)
	}
	s.write("small", "SMALL")
	s.ok("truncate", s.Truncate("large", 0)) // takes no room
	fd := s.open("other", syscall.O_WRONLY|syscall.O_TRUNC)
	s.ok("close", s.Close(fd))
	for _, path := range []string{"large", "other"} {
		if st := s.stat(path); st.Size != 0 {
			t.Errorf("%s: size %d after truncation", path, st.Size)
		}
	}
}

// TestNothingIsLeft: when all is removed that there is, the upper file system is as empty as
// at first, and no node is left but the root.
func TestNothingIsLeft(t *testing.T) {
	for seed := range uint64(4) {
		files := fstest.Sample(seed, false)
		lower, err := iofs.New(fstest.Pack(t, files), iofs.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f := overTmpfs(t, lower, tmpfs.Limits{Files: 1 << 20})
		k := fstest.NewKernel(f)
		k.VFS().SetCacheSize(0)
		other := fstest.NewKernel(tmpfs.New(tmpfs.Limits{}))
		fstest.Grow(t, other, files)
		fstest.Random(t, other, k, fstest.RandomConfig{Seed: seed, Steps: 1500, Every: 500})
		s := sys{k, t}
		s.ok("chdir", k.Chdir("/"))
		fstest.RemoveAll(t, k)
		if nodes, held := f.Held(); nodes != 1 || held > 10 {
			t.Errorf("seed %d: %d nodes, and %d files in the upper file system", seed, nodes, held)
		}
	}
}
