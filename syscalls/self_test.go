package syscalls

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
)

// TestEachMapping: each part of a mapping with a protection of its own is one of
// those that maps shows, with its place in the file.
func TestEachMapping(t *testing.T) {
	k := withMemory(t)
	fd, e := k.Openat(AT_FDCWD, "/f", syscall.O_RDWR|syscall.O_CREAT, 0o600)
	ok(t, e)
	ok(t, k.Ftruncate(fd, 4*pageSize))
	b := mmap(t, k, fd, pageSize, 3*pageSize, syscall.PROT_READ, syscall.MAP_SHARED)
	at := uint64(address(b))
	ok(t, k.Mprotect(address(b)+pageSize, pageSize, syscall.PROT_READ|syscall.PROT_WRITE))
	var got string
	k.EachMapping(func(start, end uint64, prot int, shared bool, off int64, place *fs.Dentry) {
		got += fmt.Sprint(start-at, " ", end-at, " ", prot, " ", shared, " ", off, " ", k.VFS().Describe(place), "\n")
	})
	want := "0 4096 1 true 4096 /f\n4096 8192 3 true 8192 /f\n8192 12288 1 true 12288 /f\n"
	if got != want {
		t.Errorf("mappings\n%swant\n%s", got, want)
	}
}
