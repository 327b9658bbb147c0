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
