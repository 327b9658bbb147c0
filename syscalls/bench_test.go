package syscalls

import (
	"strconv"
	"syscall"
	"testing"
)

func benchKernel(b *testing.B) *Kernel {
	k := newKernel(b)
	for _, dir := range []string{"/a", "/a/b", "/a/b/c"} {
		ok(b, k.Mkdirat(AT_FDCWD, dir, 0o755))
	}
	put(b, k, "/a/b/c/f", "0123456789")
	return k
}

func BenchmarkStat(b *testing.B) {
	k := benchKernel(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var st syscall.Stat_t
		for pb.Next() {
			k.Fstatat(AT_FDCWD, "/a/b/c/f", &st, 0)
		}
	})
}

func BenchmarkFstat(b *testing.B) {
	k := benchKernel(b)
	fd := open(b, k, "/a/b/c/f", syscall.O_RDONLY)
	var st syscall.Stat_t
	b.ReportAllocs()
	for b.Loop() {
		k.Fstat(fd, &st)
	}
}

func BenchmarkPread(b *testing.B) {
	k := benchKernel(b)
	fd := open(b, k, "/a/b/c/f", syscall.O_RDONLY)
	buf := make([]byte, 10)
	b.ReportAllocs()
	for b.Loop() {
		k.Pread(fd, buf, 0)
	}
}

func BenchmarkOpenReadClose(b *testing.B) {
	k := benchKernel(b)
	buf := make([]byte, 10)
	b.ReportAllocs()
	for b.Loop() {
		fd := open(b, k, "/a/b/c/f", syscall.O_RDONLY)
		k.Read(fd, buf)
		k.Close(fd)
	}
}

func BenchmarkCreateRemove(b *testing.B) {
	k := benchKernel(b)
	b.ReportAllocs()
	for b.Loop() {
		fd := open(b, k, "/a/b/c/new", syscall.O_WRONLY|syscall.O_CREAT)
		k.Write(fd, []byte("text"))
		k.Close(fd)
		k.Unlinkat(AT_FDCWD, "/a/b/c/new", 0)
	}
}

func BenchmarkReadDir(b *testing.B) {
	k := newKernel(b)
	for i := range 1000 {
		put(b, k, "/f"+strconv.Itoa(i), "")
	}
	buf := make([]byte, 8192)
	b.ReportAllocs()
	for b.Loop() {
		fd := open(b, k, "/", syscall.O_RDONLY)
		for {
			n, _ := k.ReadDirent(fd, buf)
			if n == 0 {
				break
			}
		}
		k.Close(fd)
	}
}

// BenchmarkMsync is msync of 32 MiB of which so many pages were stored to.
func BenchmarkMsync(b *testing.B) {
	const pages = 8192
	for _, stored := range []int{0, 1, 100, pages} {
		b.Run(strconv.Itoa(stored), func(b *testing.B) {
			k := withMemory(b)
			put(b, k, "f", "")
			fd := open(b, k, "f", syscall.O_RDWR)
			ok(b, k.Ftruncate(fd, pages*pageSize))
			m := mmap(b, k, fd, 0, pages*pageSize, protRead|protWrite, mapShared)
			for b.Loop() {
				for i := range stored {
					m[i*pageSize*(pages/max(stored, 1))]++
				}
				ok(b, k.Msync(address(m), len(m), msSync))
			}
			ok(b, k.Munmap(address(m), len(m)))
		})
	}
}

// BenchmarkReadMapped is a read of a page of a file that is mapped, and dirty.
func BenchmarkReadMapped(b *testing.B) {
	k := withMemory(b)
	put(b, k, "f", "")
	fd := open(b, k, "f", syscall.O_RDWR)
	ok(b, k.Ftruncate(fd, 100*pageSize))
	m := mmap(b, k, fd, 0, 100*pageSize, protRead|protWrite, mapShared)
	m[0]++
	buf := make([]byte, pageSize)
	for b.Loop() {
		k.Pread(fd, buf, 0)
	}
	ok(b, k.Munmap(address(m), len(m)))
}
