package syscalls

import (
	"bytes"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/yolkos/yolk/fs"
)

// withMemory makes a Kernel that can map.
func withMemory(t testing.TB) *Kernel {
	t.Helper()
	k := newKernel(t)
	k.Memory = newMemory(t)
	t.Cleanup(func() { // or what is written back later would touch what is gone
		low, high := k.Memory.Bounds()
		k.Munmap(low, int(high-low))
	})
	return k
}

// faults tells if f touches memory that may not be touched so.
func faults(f func()) (yes bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { yes = recover() != nil }()
	f()
	return false
}

func pread(t testing.TB, k *Kernel, fd int, off int64, n int) string {
	t.Helper()
	b := make([]byte, n)
	n, e := k.Pread(fd, b, off)
	ok(t, e)
	return string(b[:n])
}

func mmap(t testing.TB, k *Kernel, fd int, off int64, length, prot, flags int) []byte {
	t.Helper()
	b, e := mmapped(k, fd, off, length, prot, flags)
	ok(t, e)
	if len(b) != length || uintptr(unsafe.Pointer(&b[0]))%pageSize != 0 {
		t.Fatalf("%d bytes at %p", len(b), &b[0])
	}
	return b
}

// mmapped is Mmap wherever there is room.
func mmapped(k *Kernel, fd int, off int64, length, prot, flags int) ([]byte, syscall.Errno) {
	at, e := k.Mmap(0, length, prot, flags, fd, off)
	if e != 0 {
		return nil, e
	}
	return bytesAt(at, length), 0
}

// TestMmap: one byte of a file is one byte of memory, whichever way it is
// written and read.
func TestMmap(t *testing.T) {
	k := withMemory(t)
	put(t, k, "f", strings.Repeat("0123456789", 1000))
	fd := open(t, k, "f", syscall.O_RDWR)
	ro := mmap(t, k, fd, 0, 12000, protRead, mapShared)
	rw := mmap(t, k, fd, 4096, 8192, protRead|protWrite, mapShared)
	own := mmap(t, k, fd, 0, 100, protRead|protWrite, mapPrivate)
	look := mmap(t, k, fd, 0, 100, protRead, mapPrivate)
	ok(t, k.Close(fd)) // the mappings live on
	if string(ro[:10]) != "0123456789" || string(ro[9990:10000]) != "0123456789" || !bytes.Equal(ro[10000:], make([]byte, 2000)) {
		t.Error("the mapping differs from the file")
	}
	fd = open(t, k, "f", syscall.O_RDWR)
	_, e := k.Pwrite(fd, []byte("written"), 5000)
	ok(t, e)
	if string(ro[5000:5007]) != "written" || string(rw[5000-4096:5007-4096]) != "written" {
		t.Errorf("after a write: %q, %q", ro[5000:5007], rw[5000-4096:5007-4096])
	}
	copy(rw[100:], "stored")
	copy(rw[8000:], "behind the end")
	copy(own, "private")
	if got := pread(t, k, fd, 4190, 14); got != "012345stored23" {
		t.Errorf("read %q", got)
	}
	if string(ro[4196:4202]) != "stored" {
		t.Errorf("the other mapping has %q", ro[4196:4202])
	}
	if got := pread(t, k, fd, 0, 7); got != "0123456" || string(look[:7]) != "0123456" {
		t.Errorf("a private store shows: %q, %q", got, look[:7])
	}
	for _, e := range []syscall.Errno{k.Msync(address(rw), len(rw), msSync), k.Msync(address(rw[:1]), len(rw[:1]), msAsync), k.Msync(address(own), len(own), msSync), k.Msync(address(ro), len(ro), msSync|msInvalidate)} {
		ok(t, e)
	}
	var st syscall.Stat_t
	ok(t, k.Fstat(fd, &st))
	if st.Size != 10000 {
		t.Errorf("the size is %d: what lies behind the end was written", st.Size)
	}
	from, to := int64(0), int64(4096)
	_, e = k.CopyFileRange(fd, &from, fd, &to, 4, 0)
	ok(t, e)
	if string(rw[:4]) != "0123" {
		t.Errorf("after a copy inside the file: %q", rw[:4])
	}
	ok(t, k.Fallocate(fd, fs.FallocPunch|fs.FallocKeepSize, 4098, 100))
	if string(rw[:4]) != "01\x00\x00" || string(rw[102:106]) != "ored" {
		t.Errorf("after a hole: %q, %q", rw[:4], rw[102:106])
	}
	copy(rw, "last")
	ok(t, k.Munmap(address(rw), len(rw)))
	if got := pread(t, k, fd, 4096, 4); got != "last" {
		t.Errorf("after munmap: %q", got)
	}
	if !faults(func() { rw[0] = 1 }) || !faults(func() { ro[0] = 1 }) {
		t.Error("what is not mapped, or only to be read, can be written")
	}
	ok(t, k.Munmap(address(rw), len(rw))) // nothing is there
	is(t, "munmap from the middle of a page", k.Munmap(address(ro)+1, 100), syscall.EINVAL)
	is(t, "munmap nothing", k.Munmap(address(ro), 0), syscall.EINVAL)
	is(t, "munmap what is the program's", k.Munmap(pageSize, pageSize), syscall.EINVAL)
	is(t, "msync what is gone", k.Msync(address(rw), len(rw), msSync), syscall.ENOMEM)
	is(t, "msync from the middle of a page", k.Msync(address(ro[1:]), len(ro[1:]), msSync), syscall.EINVAL)
	for _, m := range [][]byte{ro, own, look} {
		ok(t, k.Munmap(address(m), len(m)))
	}
	nothingLeft(t, k)
}

func nothingLeft(t *testing.T, k *Kernel) {
	t.Helper()
	if k.maps.pages.Load() != 0 || k.maps.count.Load() != 0 || len(k.maps.all) != 0 {
		t.Errorf("%d pages of %d files in %d mappings are left", k.maps.pages.Load(), k.maps.count.Load(), len(k.maps.all))
	}
}

// TestMmapResized: pages come and go with the size of the file, however it is
// set.
func TestMmapResized(t *testing.T) {
	k := withMemory(t)
	put(t, k, "f", strings.Repeat("x", 5000))
	fd := open(t, k, "f", syscall.O_RDWR)
	rw := mmap(t, k, fd, 0, 10*pageSize, protRead|protWrite, mapShared)
	own := mmap(t, k, fd, 0, 10*pageSize, protRead|protWrite, mapPrivate)
	ends := func(what string, pages int) {
		t.Helper()
		for _, m := range [][]byte{rw, own} {
			if pages > 0 && faults(func() { m[pages*pageSize-1]++ }) {
				t.Errorf("%s: page %d is not there", what, pages-1)
			}
			if !faults(func() { m[pages*pageSize]++ }) {
				t.Errorf("%s: page %d is there", what, pages)
			}
		}
	}
	ends("at first", 2)
	ok(t, k.Ftruncate(fd, 4100))
	copy(rw[4096:], "abcdefgh")
	if got := pread(t, k, fd, 4090, 20); got != "xxxxxxabcd" {
		t.Errorf("behind the end is read: %q", got)
	}
	ok(t, k.Ftruncate(fd, 4098))
	ok(t, k.Ftruncate(fd, 3*pageSize))
	if string(rw[4096:4104]) != "ab\x00\x00\x00\x00\x00\x00" {
		t.Errorf("after two truncations: %q", rw[4096:4104])
	}
	ends("longer", 3)
	_, e := k.Pwrite(fd, []byte("far"), 5*pageSize+10)
	ok(t, e)
	ends("written behind the end", 6)
	if string(rw[5*pageSize:5*pageSize+14]) != "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00far\x00" {
		t.Errorf("%q", rw[5*pageSize:5*pageSize+14])
	}
	ok(t, k.Truncate("f", pageSize))
	ends("truncated by name", 1)
	ok(t, k.Fallocate(fd, 0, pageSize, pageSize))
	ends("allocated", 2)
	copy(rw, "goes")
	ok(t, k.Close(open(t, k, "f", syscall.O_RDWR|syscall.O_TRUNC)))
	ends("opened with O_TRUNC", 0)
	ap := open(t, k, "f", syscall.O_WRONLY|syscall.O_APPEND)
	_, e = k.Write(ap, []byte("appended"))
	ok(t, e)
	if string(rw[:10]) != "appended\x00\x00" {
		t.Errorf("%q", rw[:10])
	}
	is(t, "a read into pages that are not there", second(k.Pread(fd, rw[pageSize:], 0)), syscall.EFAULT)
	is(t, "a write of pages that are not there", second(k.Pwrite(fd, rw[10:pageSize+1], 0)), syscall.EFAULT)
	ok(t, k.Unlinkat(AT_FDCWD, "f", 0))
	copy(rw, "removed")
	ok(t, k.Msync(address(rw), len(rw), msSync))
	if got := pread(t, k, fd, 0, 8); got != "removedd" {
		t.Errorf("the removed file has %q", got)
	}
	ok(t, k.Munmap(address(rw), len(rw)))
	ok(t, k.Munmap(address(own), len(own)))
	nothingLeft(t, k)
}

var sink byte // for reads that count

func second(_ int, e syscall.Errno) syscall.Errno { return e }

// TestMmapAppend: pages go where they belong, by whatever descriptor they were
// mapped.
func TestMmapAppend(t *testing.T) {
	k := withMemory(t)
	put(t, k, "f", "0123456789")
	a := open(t, k, "f", syscall.O_RDWR|syscall.O_APPEND)
	b := open(t, k, "f", syscall.O_RDWR)
	one := mmap(t, k, a, 0, 10, protRead|protWrite, mapShared)
	copy(one, "ab")
	ok(t, k.Munmap(address(one), len(one)))
	two := mmap(t, k, b, 0, 10, protRead|protWrite, mapShared)
	_, e := k.Fcntl(b, syscall.F_SETFL, syscall.O_APPEND)
	ok(t, e)
	copy(two[5:], "cd")
	ok(t, k.Munmap(address(two), len(two)))
	if got := pread(t, k, a, 0, 20); got != "ab234cd789" {
		t.Errorf("%q", got)
	}
	nothingLeft(t, k)
}

// TestMprotect: what may not be written or read faults, and what is let again
// has what it had.
func TestMprotect(t *testing.T) {
	k := withMemory(t)
	put(t, k, "f", strings.Repeat("f", 3*pageSize))
	rd, rw := open(t, k, "f", syscall.O_RDONLY), open(t, k, "f", syscall.O_RDWR)
	const both = protRead | protWrite
	for what, m := range map[string][]byte{
		"shared": mmap(t, k, rw, 0, 3*pageSize, both, mapShared), "private": mmap(t, k, rd, 0, 3*pageSize, both, mapPrivate),
		"private, for reading": mmap(t, k, rd, 0, 3*pageSize, protRead, mapPrivate),
		"new":                  mmap(t, k, -1, 0, 3*pageSize, both, mapPrivate|mapAnon), "nothing": mmap(t, k, -1, 0, 3*pageSize, 0, mapShared|mapAnon),
	} {
		mid := m[pageSize : 2*pageSize]
		ok(t, k.Mprotect(address(mid), len(mid), both))
		mid[0] = 'm'
		ok(t, k.Mprotect(address(mid), len(mid), protRead))
		if mid[0] != 'm' || !faults(func() { mid[0] = 'n' }) {
			t.Errorf("%s: written though it is for reading", what)
		}
		if write := faults(func() { m[0], m[2*pageSize] = 'a', 'b' }); write != (what == "private, for reading" || what == "nothing") {
			t.Errorf("%s: the neighbours can be written: %t", what, !write)
		}
		ok(t, k.Mprotect(address(m), len(m), 0))
		if !faults(func() { sink = m[pageSize] }) {
			t.Errorf("%s: read though it is not to be touched", what)
		}
		ok(t, k.Mprotect(address(m[:len(m)-5]), len(m[:len(m)-5]), both))
		if mid[0] != 'm' || mid[1] != mid[2] {
			t.Errorf("%s: it has lost %q", what, mid[:3])
		}
		m[0] = 'z'
		ok(t, k.Munmap(address(m), len(m)))
	}
	if got := pread(t, k, rd, pageSize, 2); got != "mf" {
		t.Errorf("the file has %q", got)
	}
	m := mmap(t, k, rd, 0, pageSize, protRead, mapShared)
	is(t, "writing what is open for reading", k.Mprotect(address(m), len(m), both), syscall.EACCES)
	ok(t, k.Mprotect(address(m), len(m), protExec))
	is(t, "from the middle of a page", k.Mprotect(address(m[1:]), len(m[1:]), protRead), syscall.EINVAL)
	ok(t, k.Munmap(address(m), len(m)))
	big := mmap(t, k, -1, 0, 1<<40, 0, mapPrivate|mapAnon) // addresses cost nothing
	ok(t, k.Mprotect(address(big[1<<39:1<<39+pageSize]), len(big[1<<39:1<<39+pageSize]), both))
	big[1<<39] = 1
	ok(t, k.Munmap(address(big), len(big)))
	nothingLeft(t, k)
}

// countWrites counts the bytes that are written.
type countWrites struct {
	fs.File
	bytes atomic.Int64
}

func (c *countWrites) WriteAt(p []byte, off int64) (int, int64, error) {
	n, end, err := c.File.WriteAt(p, off)
	c.bytes.Add(int64(n))
	return n, end, err
}

// TestMsyncWritesWhatChanged counts the writes of a large mapping, and has the
// rest go out by itself.
func TestMsyncWritesWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := withMemory(t)
		fd, e := k.Openat(AT_FDCWD, "f", syscall.O_RDWR|syscall.O_CREAT, 0o644)
		ok(t, e)
		ok(t, k.Ftruncate(fd, 1000*pageSize))
		m := mmap(t, k, fd, 0, 1000*pageSize, protRead|protWrite, mapShared)
		d, e := k.table.get(fd)
		ok(t, e)
		count := &countWrites{File: d.file}
		d.file = count
		d.put()
		wrote := func(what string, bytes int64) {
			t.Helper()
			got := count.bytes.Swap(0)
			if got != bytes {
				t.Errorf("%s: %d bytes were written, want %d", what, got, bytes)
			}
		}
		ok(t, k.Msync(address(m), len(m), msSync))
		wrote("nothing stored", 0)
		m[5*pageSize]++
		m[6*pageSize+7]++
		m[900*pageSize]++
		ok(t, k.Msync(address(m[6*pageSize:]), len(m[6*pageSize:]), msSync))
		wrote("two pages of the part", 2*pageSize)
		ok(t, k.Fsync(fd))
		wrote("the rest", pageSize)
		ok(t, k.Fsync(fd))
		wrote("again", 0)
		m[1]++
		time.Sleep(flushTime + time.Second)
		wrote("after a while", pageSize)
		m[1]++
		ok(t, k.Close(open(t, k, "f", syscall.O_RDONLY)))
		wrote("at the close of any descriptor", pageSize)
		m[1]++
		ok(t, k.Munmap(address(m), len(m)))
		wrote("munmap", pageSize)
	})
}

func TestMmapRefuses(t *testing.T) {
	k := withMemory(t)
	k.MapLimit, k.MemoryTotal = 1<<20, 1<<20
	put(t, k, "f", "text")
	r, w := open(t, k, "f", syscall.O_RDONLY), open(t, k, "f", syscall.O_WRONLY)
	dir := open(t, k, "/", syscall.O_RDONLY)
	put(t, k, "big", "")
	ok(t, k.Truncate("big", 2<<20))
	big := open(t, k, "big", syscall.O_RDONLY)
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
		"no kind":              {r, 0, 10, protRead, 4, syscall.EINVAL},
		"a flag that is none":  {r, 0, 10, protRead, mapSharedValidate | 1<<30, syscall.EOPNOTSUPP},
		"address 0":            {r, 0, 10, protRead, mapShared | mapFixed, syscall.ENOMEM},
		"huge pages":           {-1, 0, 10, protRead, mapPrivate | mapAnon | mapHugeTLB, syscall.ENOMEM},
		"a directory":          {dir, 0, 10, protRead, mapShared, syscall.ENODEV},
		"write what is not so": {r, 0, 10, protRead | protWrite, mapShared, syscall.EACCES},
		"read what is not so":  {w, 0, 10, protWrite, mapShared, syscall.EACCES},
		"too much":             {big, 0, 2 << 20, protRead, mapShared, syscall.ENOMEM},
		"too much of its own":  {big, 0, 2 << 20, protRead | protWrite, mapPrivate, syscall.ENOMEM},
		"too much of nothing":  {-1, 0, 1<<20 + 1, protWrite, mapPrivate | mapAnon, syscall.ENOMEM},
		"beyond all files":     {r, 1<<63 - 4096, 10, protRead, mapShared, syscall.EOVERFLOW},
		"no descriptor":        {99, 0, 10, protRead, mapShared, syscall.EBADF},
	} {
		_, e := mmapped(k, c.fd, c.off, c.length, c.prot, c.flags)
		is(t, what, e, c.want)
	}
	nothingLeft(t, k)
	small := mmap(t, k, r, 0, 1<<30, protRead, mapShared) // takes what the file has
	if string(small[:5]) != "text\x00" || k.maps.pages.Load() != 1 {
		t.Errorf("%q, %d pages", small[:5], k.maps.pages.Load())
	}
	ok(t, k.Munmap(address(small), len(small)))
	b := mmap(t, k, -1, 0, 100_000, protRead|protWrite, mapPrivate|mapAnon)
	b[99_999] = 1
	ok(t, k.Msync(address(b), len(b), msSync))
	ok(t, k.Munmap(address(b), len(b)))
	nothingLeft(t, k)
	is(t, "without memory", second2(mmapped(newKernel(t), -1, 0, 10, protRead, mapPrivate|mapAnon)), syscall.ENODEV)
}

func second2(_ []byte, e syscall.Errno) syscall.Errno { return e }

// TestMunmapParts: what is left of a mapping of a file when parts are unmapped,
// replaced and moved has the file's bytes, and what was stored is in the file.
func TestMunmapParts(t *testing.T) {
	k := withMemory(t)
	put(t, k, "f", strings.Repeat("f", 8*pageSize))
	fd := open(t, k, "f", syscall.O_RDWR)
	for _, kind := range []int{mapShared, mapPrivate} {
		m := mmap(t, k, fd, 0, 8*pageSize, protRead|protWrite, kind)
		at := address(m)
		for i := range 8 {
			m[i*pageSize] = byte('0' + i)
		}
		ok(t, k.Munmap(at+2*pageSize, pageSize))
		if !faults(func() { sink = m[2*pageSize] }) {
			t.Error("a page is left")
		}
		fixed, e := k.Mmap(at+4*pageSize, pageSize, protRead|protWrite, mapPrivate|mapAnon|mapFixed, -1, 0)
		if ok(t, e); fixed != at+4*pageSize || m[4*pageSize] != 0 {
			t.Errorf("%q lies at %#x", m[4*pageSize], fixed)
		}
		_, e = k.Mmap(at+3*pageSize, 2*pageSize, protRead, mapPrivate|mapAnon|mapFixedNoReplace, -1, 0)
		is(t, "over what is mapped", e, syscall.EEXIST)
		moved, e := k.Mremap(at+6*pageSize, pageSize, 2*pageSize, mremapMayMove, 0)
		if ok(t, e); bytesAt(moved, 2*pageSize)[0] != '6' || moved == at+6*pageSize {
			t.Errorf("%q was moved to %#x", bytesAt(moved, 1), moved)
		}
		if got := bytesAt(moved, 2*pageSize)[pageSize]; got != '7' { // in the file, for either kind
			t.Errorf("behind it lies %q", got)
		}
		if got := string([]byte{m[0], m[pageSize], m[3*pageSize], m[5*pageSize], m[7*pageSize]}); got != "01357" || m[1] != 'f' {
			t.Errorf("%q is left", got)
		}
		// Buffers may lie over two mappings, but not over a hole.
		if n, e := k.Pwrite(fd, m[3*pageSize:5*pageSize], 0); e != 0 || n != 2*pageSize {
			t.Errorf("write from two mappings: %d, %v", n, e)
		}
		if _, e := k.Pread(fd, m[pageSize:3*pageSize], 0); e != syscall.EFAULT {
			t.Errorf("read into a hole: %v", e)
		}
		ok(t, k.Munmap(moved, 2*pageSize))
		ok(t, k.Munmap(at, 8*pageSize))
		if got := pread(t, k, fd, 7*pageSize, 2); got != "7f" { // of the first round
			t.Errorf("the file has %q", got)
		}
		nothingLeft(t, k)
	}
}

// TestBrk: the break moves where it is let, and the memory behind it is new.
func TestBrk(t *testing.T) {
	k := withMemory(t)
	start := k.Brk(0)
	if end := k.Brk(start + 3*pageSize + 1); end != start+3*pageSize+1 {
		t.Fatalf("%#x, want %#x", end, start+3*pageSize+1)
	}
	b := bytesAt(start, 4*pageSize)
	b[4*pageSize-1] = 1
	if end := k.Brk(start + pageSize); end != start+pageSize || !faults(func() { sink = b[pageSize] }) {
		t.Errorf("it ends at %#x", end)
	}
	if end := k.Brk(start + 4*pageSize); end != start+4*pageSize || b[4*pageSize-1] != 0 {
		t.Errorf("it ends at %#x, with %d", end, b[4*pageSize-1])
	}
	for _, at := range []uintptr{0, start - 1, ^uintptr(0), start + brkRoom + 1} {
		if end := k.Brk(at); end != start+4*pageSize {
			t.Errorf("%#x: it ends at %#x", at, end)
		}
	}
	k.Brk(start)
	nothingLeft(t, k)
}

// TestLimitOfAddresses: RLIMIT_AS bounds what is mapped, however it comes to be,
// and what gives way to a mapping counts no more.
func TestLimitOfAddresses(t *testing.T) {
	k := withMemory(t)
	old, e := k.Prlimit(syscall.RLIMIT_AS, nil)
	ok(t, e)
	const anon = mapPrivate | mapAnon
	at, e := k.Mmap(0, 6*pageSize, 0, anon, -1, 0)
	ok(t, e)
	ok(t, k.Munmap(at+3*pageSize, 3*pageSize)) // room behind it
	_, e = k.Prlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: 5 * pageSize, Max: old.Max})
	ok(t, e)
	_, e = k.Mmap(0, 3*pageSize, 0, anon, -1, 0)
	is(t, "a page too much", e, syscall.ENOMEM)
	put(t, k, "f", strings.Repeat("x", 3*pageSize))
	_, e = mmapped(k, open(t, k, "f", syscall.O_RDWR), 0, 3*pageSize, protRead, mapShared)
	is(t, "of a file", e, syscall.ENOMEM)
	_, e = k.Mremap(at, 3*pageSize, 6*pageSize, mremapMayMove, 0)
	is(t, "by mremap", e, syscall.ENOMEM)
	_, e = k.Mremap(at, 3*pageSize, 3*pageSize, mremapMayMove|mremapDontUnmap, 0)
	is(t, "by leaving what is moved", e, syscall.ENOMEM)
	if start := k.Brk(0); k.Brk(start+3*pageSize) != start || k.Brk(start+2*pageSize) != start+2*pageSize || k.Brk(start) != start {
		t.Error("the break goes by no limit, or by another")
	}
	at, e = k.Mmap(at, 5*pageSize, 0, anon|mapFixed, -1, 0)
	ok(t, e)
	_, e = k.Mmap(at, 6*pageSize, protRead, anon|mapFixed, -1, 0)
	is(t, "with MAP_FIXED", e, syscall.ENOMEM)
	ok(t, k.Mprotect(at, 5*pageSize, protRead)) // what was there is there
	_, e = k.Prlimit(syscall.RLIMIT_AS, &old)
	ok(t, e)
	more, e := k.Mmap(0, 100*pageSize, 0, anon, -1, 0)
	ok(t, e)
	ok(t, k.Munmap(at, 5*pageSize))
	ok(t, k.Munmap(more, 100*pageSize))
	nothingLeft(t, k)
}

// TestMlock: memory is locked that is mapped, and that of the program.
func TestMlock(t *testing.T) {
	k := withMemory(t)
	m := address(mmap(t, k, -1, 0, 4*pageSize, protRead, mapPrivate|mapAnon))
	vec := make([]byte, 4)
	ok(t, k.Mlock2(m, pageSize, 1))
	ok(t, k.Mincore(m, 4*pageSize, vec))
	if !bytes.Equal(vec, []byte{0, 0, 0, 0}) {
		t.Errorf("%d", vec)
	}
	ok(t, k.Mlock(m+pageSize+5, pageSize)) // two pages
	ok(t, k.Mincore(m, 4*pageSize, vec))
	if !bytes.Equal(vec, []byte{0, 1, 1, 0}) {
		t.Errorf("%d", vec)
	}
	own := make([]byte, 100)
	ok(t, k.Mlock(address(own), len(own)))
	ok(t, k.Munlock(address(own), len(own)))
	is(t, "advice that would clear the heap", k.Madvise(address(own)&^(pageSize-1), 100, madvDontNeed), syscall.EINVAL)
	is(t, "protection of the heap", k.Mprotect(address(own)&^(pageSize-1), 100, 0), syscall.EACCES)
	ok(t, k.Mprotect(m, pageSize, 0))
	is(t, "what may not be read", k.Mlock(m, pageSize), syscall.ENOMEM)
	is(t, "a flag", k.Mlock2(m, pageSize, 2), syscall.EINVAL)
	ok(t, k.Munmap(m+2*pageSize, pageSize))
	is(t, "a hole", k.Mlock(m+pageSize, 3*pageSize), syscall.ENOMEM)
	is(t, "nothing to lock", k.Mlockall(0), syscall.EINVAL)
	ok(t, k.Mlockall(3))
	ok(t, k.Munmap(m, 4*pageSize))
}

// TestNeighbours: whatever others do with the memory around a buffer, a call that is
// given the buffer finds it. Neighbours that are alike are one mapping, which is
// joined, and divided again.
func TestNeighbours(t *testing.T) {
	k := withMemory(t)
	put(t, k, "f", "neighbour")
	fd := open(t, k, "f", syscall.O_RDWR)
	anon := func() []byte {
		return mmap(t, k, -1, 0, 4*pageSize, protRead|protWrite, mapPrivate|mapAnon)
	}
	before, buf, behind := anon(), anon(), anon()
	var others sync.WaitGroup
	var left atomic.Int32
	for _, b := range [][]byte{before, behind} {
		left.Add(1)
		others.Go(func() {
			defer left.Add(-1)
			for range 10000 {
				_, e := k.Mmap(address(b), len(b), protRead|protWrite, mapPrivate|mapAnon|mapFixed, -1, 0)
				if e == 0 {
					e = k.Mprotect(address(b), pageSize, protRead)
				}
				if e == 0 {
					e = k.Munmap(address(b), len(b))
				}
				if e != 0 {
					t.Error(e)
					return
				}
			}
		})
	}
	for left.Load() > 0 && !t.Failed() {
		if n, e := k.Pread(fd, buf[:9], 0); n != 9 || e != 0 {
			t.Errorf("read: %d, %v", n, e)
		}
		if n, e := k.Pwrite(fd, buf[:9], 0); n != 9 || e != 0 {
			t.Errorf("write: %d, %v", n, e)
		}
	}
	others.Wait()
}
