package diskfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/diskfs"
	"github.com/yolkos/yolk/fs/diskfs/formats"
	"github.com/yolkos/yolk/fs/fstest"
	"github.com/yolkos/yolk/internal/tools"
	"github.com/yolkos/yolk/syscalls"
)

// makers make the images of file systems of a directory: with the defaults of their programs,
// and as far from them as these go. The whole suite is for the first ones.
var makers = []struct {
	name, program, args string
	suite               bool
}{
	{"ext4", "mkfs.ext4", "-q -F -b 4096 -d DIR -E root_owner=0:0 FILE 48M", true},
	{"squashfs", "mksquashfs", "DIR FILE -noappend -quiet -no-progress -no-xattrs -comp gzip", true},
	{"ext2", "mkfs.ext4", "-q -F -t ext2 -b 1024 -I 128 -E root_owner=0:0 -d DIR FILE 48M", false},
	{"squashfs-4k", "mksquashfs", "DIR FILE -noappend -quiet -no-progress -no-xattrs -comp gzip -b 4096", false},
	{"squashfs-plain", "mksquashfs", "DIR FILE -noappend -quiet -no-progress -no-xattrs -comp gzip -noI -noD -noF -no-fragments", false},
	{"squashfs-lz4", "mksquashfs", "DIR FILE -noappend -quiet -no-progress -no-xattrs -comp lz4", false},
	{"squashfs-lz4hc", "mksquashfs", "DIR FILE -noappend -quiet -no-progress -no-xattrs -comp lz4 -Xhc -b 1M", false},
	{"squashfs-zstd", "mksquashfs", "DIR FILE -noappend -quiet -no-progress -no-xattrs -comp zstd", false},
	{"squashfs-zstd-22", "mksquashfs", "DIR FILE -noappend -quiet -no-progress -no-xattrs -comp zstd -Xcompression-level 22 -b 1M", false},
	{"squashfs-xz", "mksquashfs", "DIR FILE -noappend -quiet -no-progress -no-xattrs -comp xz", false},
	{"squashfs-xz-x86", "mksquashfs", "DIR FILE -noappend -quiet -no-progress -no-xattrs -comp xz -Xbcj x86 -Xdict-size 100% -b 1M", false},
	{"squashfs-lzma", "mksquashfs", "DIR FILE -noappend -quiet -no-progress -no-xattrs -comp lzma", false},
	{"erofs", "mkfs.erofs", "--quiet -zlz4 -C65536 FILE DIR", true},
	{"erofs-plain", "mkfs.erofs", "--quiet FILE DIR", false},
	{"erofs-full", "mkfs.erofs", "--quiet -zlz4 -Elegacy-compress FILE DIR", false},
	{"erofs-4k", "mkfs.erofs", "--quiet -zlz4 FILE DIR", false},
	{"erofs-tail", "mkfs.erofs", "--quiet -zlz4 -Eztailpacking FILE DIR", false},
	{"erofs-chunks", "mkfs.erofs", "--quiet --chunksize=8192 FILE DIR", false},
	{"erofs-compact", "mkfs.erofs", "--quiet -Eforce-inode-compact,noinline_data FILE DIR", false},
}

// makeImage makes an image of a directory.
func makeImage(t testing.TB, program, args, dir string) string {
	t.Helper()
	path := tools.Find(t, program)
	file := filepath.Join(t.TempDir(), "image")
	if program == "mkfs.ext4" {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var list []string
	for _, a := range strings.Fields(args) {
		switch a {
		case "DIR":
			a = dir
		case "FILE":
			a = file
		}
		list = append(list, a)
	}
	if out, err := exec.Command(path, list...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", program, list, err, out)
	}
	if program == "mkfs.ext4" {
		if out, err := debugfs(file).CombinedOutput(); err != nil {
			t.Fatalf("debugfs: %v\n%s", err, out)
		}
	}
	return file
}

// debugfs makes an image of ext4 what the directory was: without lost+found, and without the
// time of its making.
func debugfs(file string) *exec.Cmd {
	cmd := exec.Command("debugfs", "-w", "-f", "-", file)
	cmd.Stdin = strings.NewReader("rmdir lost+found\nset_inode_field <2> mtime @0\n")
	return cmd
}

// open opens an image of which the format is to be found out.
func open(t testing.TB, file string, note func(error)) fs.FileSystem {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	fsys, err := formats.Open(formats.Auto, diskfs.Disk{R: f, Size: info.Size()}, "", note)
	if err != nil {
		t.Fatal(err)
	}
	return fsys
}

func TestSuite(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the files belong to several users")
	}
	for _, m := range makers {
		if !m.suite {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			fstest.ReadOnlySuite(t, fstest.ReadOnlyConfig{Steps: 200, New: func(t *testing.T, files []fstest.File) fs.FileSystem {
				dir := t.TempDir()
				if err := os.Chmod(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				fstest.GrowIn(t, dir, files)
				return open(t, makeImage(t, m.program, m.args, dir), func(err error) { t.Error(err) })
			}})
		})
	}
}

// TestLarge: a file with holes, whose blocks take several levels of pointers, is read as it
// was written, at any place and by several readers at once.
func TestLarge(t *testing.T) {
	const size = 40 << 20
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "large"))
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, size)
	for at, step := 0, 4096; at < size; at, step = at+step, step*9/8+512 {
		n := copy(want[at:], bytes.Repeat(fmt.Append(nil, at, "|"), 2500)[:min(5000, size-at)])
		if _, err := f.WriteAt(want[at:at+n], int64(at)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		t.Fatal(err)
	}
	for _, m := range makers {
		t.Run(m.name, func(t *testing.T) {
			v := fs.New(open(t, makeImage(t, m.program, m.args, dir), func(err error) { t.Error(err) }), fs.MountOptions{})
			k := syscalls.New(v)
			fd, e := k.Openat(-100, "large", syscall.O_RDONLY, 0)
			if e != 0 {
				t.Fatal(e)
			}
			var all sync.WaitGroup
			for reader := range 4 {
				all.Go(func() {
					part := 1<<16 + 4000*reader
					got := make([]byte, part)
					for i := range size/part + 1 {
						at := i * part
						if reader&1 != 0 {
							at = (size/part - i) * part
						}
						n, e := k.Pread(fd, got, int64(at))
						if e != 0 || !bytes.Equal(got[:n], want[at:min(at+part, size)]) {
							t.Errorf("%d bytes at %d: %d, %v, or other bytes", part, at, n, e)
							return
						}
					}
				})
			}
			all.Wait()
		})
	}
}
