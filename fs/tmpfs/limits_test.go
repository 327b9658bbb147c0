package tmpfs_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fstest"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

const cwd = syscalls.AT_FDCWD

func open(t *testing.T, k *syscalls.Kernel, path string, flags int) int {
	t.Helper()
	fd, e := k.Openat(cwd, path, flags, 0o644)
	if e != 0 {
		t.Fatalf("open %s: %v", path, e)
	}
	return fd
}

// free is how many pages and files statfs says are left.
func free(t *testing.T, f *tmpfs.FS) (pages, files uint64) {
	t.Helper()
	var s fs.Statfs
	if err := f.Statfs(&s); err != nil {
		t.Fatal(err)
	}
	return s.Bfree, s.Ffree
}

func TestBytes(t *testing.T) {
	f := tmpfs.New(tmpfs.Limits{Bytes: 100 * 4096})
	k := fstest.NewKernel(f)
	fd := open(t, k, "a", syscall.O_RDWR|syscall.O_CREAT)
	if n, e := k.Write(fd, make([]byte, 96*4096)); n != 96*4096 || e != 0 {
		t.Fatalf("write: %d, %v", n, e)
	}
	// What still fits is written, in whole chunks or not at all.
	if n, e := k.Pwrite(fd, make([]byte, 200*4096), 1<<30); e != syscall.ENOSPC {
		t.Errorf("writing too much: %d, %v", n, e)
	}
	if n, e := k.Pwrite(fd, make([]byte, 4*4096), 1<<30); n != 4*4096 || e != 0 {
		t.Errorf("filling up: %d, %v", n, e)
	}
	if _, e := k.Pwrite(fd, []byte("x"), 2<<30); e != syscall.ENOSPC {
		t.Errorf("a byte more: %v", e)
	}
	if n, e := k.Pwrite(fd, []byte("over"), 10); n != 4 || e != 0 {
		t.Errorf("writing over what is there: %d, %v", n, e)
	}
	if e := k.Ftruncate(fd, 1<<40); e != 0 {
		t.Errorf("a hole at the end: %v", e)
	}
	if e := k.Fallocate(fd, 0, 3<<30, 4096); e != syscall.ENOSPC {
		t.Errorf("reserving: %v", e)
	}
	var st syscall.Stat_t
	k.Fstat(fd, &st)
	if st.Blocks != 100*8 {
		t.Errorf("%d blocks", st.Blocks)
	}
	if e := k.Fallocate(fd, 3, 0, 10*4096); e != 0 {
		t.Errorf("punching a hole: %v", e)
	}
	// Half a chunk of zeros stays, as its other half is in use.
	if e := k.Ftruncate(fd, 4096); e != 0 {
		t.Fatal(e)
	}
	if pages, _ := free(t, f); pages != 99 {
		t.Errorf("%d pages are free", pages)
	}
	// A removed file gives its space back at its last close.
	k.Write(fd, make([]byte, 90*4096))
	k.Unlinkat(cwd, "a", 0)
	if pages, _ := free(t, f); pages > 10 {
		t.Errorf("%d pages are free while the file is open", pages)
	}
	k.Close(fd)
	if pages, _ := free(t, f); pages != 100 {
		t.Errorf("%d pages are free in the end", pages)
	}
}

func TestFiles(t *testing.T) {
	f := tmpfs.New(tmpfs.Limits{Files: 10})
	k := fstest.NewKernel(f)
	for i := range 9 {
		if e := k.Mkdirat(cwd, fmt.Sprint("d", i), 0o755); e != 0 {
			t.Fatalf("file %d: %v", i, e)
		}
	}
	for what, e := range map[string]syscall.Errno{
		"mkdir":   k.Mkdirat(cwd, "x", 0o755),
		"symlink": k.Symlinkat("t", cwd, "x"),
		"mknod":   k.Mknodat(cwd, "x", syscall.S_IFIFO, 0),
		"create":  func() syscall.Errno { _, e := k.Openat(cwd, "x", syscall.O_CREAT|syscall.O_RDWR, 0o644); return e }(),
	} {
		if e != syscall.ENOSPC {
			t.Errorf("%s: %v", what, e)
		}
	}
	if e := k.Unlinkat(cwd, "d3", syscalls.AT_REMOVEDIR); e != 0 {
		t.Fatal(e)
	}
	if e := k.Symlinkat("t", cwd, "x"); e != 0 {
		t.Errorf("after a removal: %v", e)
	}
}

// TestEverythingComesBack does random things, removes all and counts.
func TestEverythingComesBack(t *testing.T) {
	f := tmpfs.New(tmpfs.Limits{Bytes: 4 << 20, Files: 200})
	k := fstest.NewKernel(f)
	pages, files := free(t, f)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(9, uint64(g)))
			name := func() string { return fmt.Sprint("f", r.IntN(20)) }
			for range 3000 {
				switch r.IntN(8) {
				case 0:
					k.Unlinkat(cwd, name(), 0)
				case 1:
					k.Renameat2(cwd, name(), cwd, name(), uint32(r.IntN(3)))
				case 2:
					k.Linkat(cwd, name(), cwd, name(), 0)
				case 3:
					k.Truncate(name(), int64(r.IntN(1<<20)))
				default:
					fd, e := k.Openat(cwd, name(), syscall.O_RDWR|syscall.O_CREAT, 0o644)
					if e != 0 {
						continue
					}
					k.Pwrite(fd, make([]byte, r.IntN(300_000)), int64(r.IntN(1<<20)))
					k.Fallocate(fd, uint32(r.IntN(2)*3), int64(r.IntN(1<<20)), int64(1+r.IntN(1<<20)))
					k.Close(fd)
				}
			}
		})
	}
	wg.Wait()
	for i := range 20 {
		k.Unlinkat(cwd, fmt.Sprint("f", i), 0)
	}
	if p, n := free(t, f); p != pages || n != files {
		t.Errorf("%d pages and %d files are free, want %d and %d", p, n, pages, files)
	}
}
