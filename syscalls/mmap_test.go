package syscalls

import (
	"bytes"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

func mmap(t testing.TB, k *Kernel, fd int, off int64, length, prot, flags int) []byte {
	t.Helper()
	b, e := k.Mmap(fd, off, length, prot, flags)
	ok(t, e)
	if len(b) != length || uintptr(unsafe.Pointer(&b[0]))%pageSize != 0 {
		t.Fatalf("%d bytes at %p", len(b), &b[0])
	}
	return b
}

func TestMmap(t *testing.T) {
	k := newKernel(t)
	put(t, k, "f", strings.Repeat("0123456789", 1000))
	fd := open(t, k, "f", syscall.O_RDWR)
	ro := mmap(t, k, fd, 0, 12000, protRead, mapShared)
	rw := mmap(t, k, fd, 4096, 8192, protRead|protWrite, mapShared)
	own := mmap(t, k, fd, 0, 100, protRead|protWrite, mapPrivate)
	ok(t, k.Close(fd)) // the mappings live on
	if string(ro[:10]) != "0123456789" || string(ro[9990:10000]) != "0123456789" || !bytes.Equal(ro[10000:], make([]byte, 2000)) {
		t.Error("the mapping differs from the file")
	}
	// What is written shows in the mappings.
	fd = open(t, k, "f", syscall.O_RDWR)
	_, e := k.Pwrite(fd, []byte("written"), 5000)
	ok(t, e)
	if string(ro[5000:5007]) != "written" || string(rw[5000-4096:5007-4096]) != "written" {
		t.Errorf("after a write: %q, %q", ro[5000:5007], rw[5000-4096:5007-4096])
	}
	// What is stored shows in the file and other mappings with msync, but not
	// behind the end, and not what is private.
	copy(rw[100:], "stored")
	copy(rw[8000:], "behind the end")
	copy(own, "private")
	ok(t, k.Msync(rw[50:200], msSync))
	ok(t, k.Msync(own, msAsync))
	buf := make([]byte, 6)
	k.Pread(fd, buf, 4196)
	if string(buf) != "stored" || string(ro[4196:4202]) != "stored" {
		t.Errorf("after msync: %q, %q", buf, ro[4196:4202])
	}
	var st syscall.Stat_t
	ok(t, k.Fstat(fd, &st))
	if st.Size != 10000 {
		t.Errorf("the size is %d", st.Size)
	}
	k.Pread(fd, buf, 0)
	if string(buf) != "012345" {
		t.Errorf("the file begins with %q", buf)
	}
	copy(rw[0:], "fsync")
	ok(t, k.Fsync(fd))
	k.Pread(fd, buf[:5], 4096)
	if string(buf[:5]) != "fsync" {
		t.Errorf("after fsync: %q", buf[:5])
	}
	ok(t, k.Truncate("f", 4100))
	if string(ro[4096:4106]) != "fsyn\x00\x00\x00\x00\x00\x00" {
		t.Errorf("after truncate: %q", ro[4096:4106])
	}
	from, to := int64(0), int64(4096)
	_, e = k.CopyFileRange(fd, &from, fd, &to, 4, 0)
	ok(t, e)
	if string(rw[:4]) != "0123" {
		t.Errorf("after a copy inside the file: %q", rw[:4])
	}
	copy(rw, "last")
	ok(t, k.Munmap(rw))
	k.Pread(fd, buf[:4], 4096)
	if string(buf[:4]) != "last" {
		t.Errorf("after munmap: %q", buf[:4])
	}
	is(t, "munmap again", k.Munmap(rw), syscall.EINVAL)
	is(t, "munmap a part", k.Munmap(ro[:100]), syscall.EINVAL)
	is(t, "msync what is gone", k.Msync(rw, msSync), syscall.ENOMEM)
	is(t, "mprotect", k.Mprotect(ro, 0), syscall.ENOSYS)
	ok(t, k.Munmap(ro))
	ok(t, k.Munmap(own))
	if k.maps.bytes != 0 || k.maps.count.Load() != 0 {
		t.Errorf("%d bytes in %d mappings are left", k.maps.bytes, k.maps.count.Load())
	}
}

func TestMmapRefuses(t *testing.T) {
	k := newKernel(t)
	k.MapLimit = 1 << 20
	put(t, k, "f", "text")
	r, w := open(t, k, "f", syscall.O_RDONLY), open(t, k, "f", syscall.O_WRONLY)
	dir := open(t, k, "/", syscall.O_RDONLY)
	for what, c := range map[string]struct {
		fd          int
		off         int64
		length      int
		prot, flags int
		want        syscall.Errno
	}{
		"a length of 0":        {r, 0, 0, protRead, mapShared, syscall.EINVAL},
		"an odd offset":        {r, 1, 10, protRead, mapShared, syscall.EINVAL},
		"neither kind":         {r, 0, 10, protRead, 0, syscall.EINVAL},
		"both kinds":           {r, 0, 10, protRead, 3, syscall.EINVAL},
		"a fixed address":      {r, 0, 10, protRead, mapShared | mapFixed, syscall.EOPNOTSUPP},
		"execution":            {r, 0, 10, 4, mapPrivate, syscall.EOPNOTSUPP},
		"a directory":          {dir, 0, 10, protRead, mapShared, syscall.ENODEV},
		"write what is not so": {r, 0, 10, protRead | protWrite, mapShared, syscall.EACCES},
		"read what is not so":  {w, 0, 10, protWrite, mapShared, syscall.EACCES},
		"too much":             {r, 0, 1 << 20, protRead, mapShared, syscall.ENOMEM},
		"too much of nothing":  {-1, 0, 1 << 20, protRead, mapPrivate | mapAnon, syscall.ENOMEM},
		"no descriptor":        {99, 0, 10, protRead, mapShared, syscall.EBADF},
	} {
		_, e := k.Mmap(c.fd, c.off, c.length, c.prot, c.flags)
		is(t, what, e, c.want)
	}
	b := mmap(t, k, -1, 0, 100_000, protRead|protWrite, mapPrivate|mapAnon)
	b[99_999] = 1
	ok(t, k.Msync(b, msSync))
	ok(t, k.Mprotect(b, protRead|protWrite))
	ok(t, k.Munmap(b))
	if k.maps.bytes != 0 {
		t.Errorf("%d bytes are left", k.maps.bytes)
	}
}
