package fstest

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/syscalls"
)

// controlled is a node of the loopback file system with an ioctl.
type controlled struct{ *gofs.LoopbackNode }

var _ gofs.NodeIoctler = controlled{}

// Ioctl doubles the number that it is given.
func (controlled) Ioctl(_ context.Context, _ gofs.FileHandle, cmd uint32, _ uint64, in, out []byte) (int32, syscall.Errno) {
	if cmd != double {
		return 0, syscall.ENOTTY
	}
	binary.NativeEndian.PutUint64(out, 2*binary.NativeEndian.Uint64(in))
	return 3, 0
}

const double = 3<<30 | 8<<16 | 'Y'<<8 | 1 // _IOWR('Y', 1, uint64_t)

// TestControl does what is beyond files and names, over FUSE.
func TestControl(t *testing.T) {
	dir := t.TempDir()
	k := NewKernel(serve(t, dir, time.Second, func(root *gofs.LoopbackRoot) {
		root.NewNode = func(root *gofs.LoopbackRoot, _ *gofs.Inode, _ string, _ *syscall.Stat_t) gofs.InodeEmbedder {
			return controlled{&gofs.LoopbackNode{RootData: root}}
		}
	}))
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, []byte("hello"), 0o640); err != nil {
		t.Fatal(err)
	}
	fd, e := k.Openat(cwd, "/file", syscall.O_RDONLY, 0)
	if e != 0 {
		t.Fatal(e)
	}
	defer k.Close(fd)

	data := binary.NativeEndian.AppendUint64(nil, 21)
	if val, e := k.Ioctl(fd, double, 0, data); val != 3 || e != 0 || binary.NativeEndian.Uint64(data) != 42 {
		t.Errorf("ioctl: %d, %v, %v", val, e, data)
	}
	if _, e := k.Ioctl(fd, double+1, 0, data); e != syscall.ENOTTY {
		t.Errorf("another ioctl: %v", e)
	}
	revents := []int16{0}
	if n, e := k.Poll([]int32{int32(fd)}, []int16{unix.POLLIN}, revents, -1); n != 1 || e != 0 || revents[0] != unix.POLLIN {
		t.Errorf("poll: %d, %v, %#x", n, e, revents)
	}

	var got, want unix.Statx_t
	if err := unix.Statx(cwd, name, 0, unix.STATX_ALL, &want); err != nil {
		t.Fatal(err)
	}
	stx := unsafe.Slice((*byte)(unsafe.Pointer(&got)), syscalls.StatxSize)
	if e := k.Statx(cwd, "/file", 0, unix.STATX_ALL, stx); e != 0 {
		t.Fatal(e)
	}
	if got.Mask&unix.STATX_BASIC_STATS != unix.STATX_BASIC_STATS {
		t.Errorf("mask %#x", got.Mask)
	}
	if got.Mask&unix.STATX_BTIME != 0 && got.Btime != want.Btime {
		t.Errorf("born at %v, want %v", got.Btime, want.Btime)
	}
	// What only one of the two can know.
	got.Mask, want.Mask = 0, 0
	got.Attributes, want.Attributes = 0, 0
	got.Attributes_mask, want.Attributes_mask = 0, 0
	got.Btime, want.Btime = unix.StatxTimestamp{}, unix.StatxTimestamp{}
	got.Dev_major, want.Dev_major = 0, 0
	got.Dev_minor, want.Dev_minor = 0, 0
	want.Mnt_id = 0
	want.Dio_mem_align, want.Dio_offset_align, want.Dio_read_offset_align = 0, 0, 0
	if got != want {
		t.Errorf("statx: %+v, want %+v", got, want)
	}
}
