package fstest

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls/memfd"
)

// TestMemoryErrors makes calls with wrong arguments on this machine and on a
// Kernel, which must refuse them alike.
func TestMemoryErrors(t *testing.T) {
	mem, err := memfd.New(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	k := NewKernel(tmpfs.New(tmpfs.Limits{}))
	k.Memory = mem
	const (
		anon = mapPrivate | mapAnon
		huge = 1 << 62
	)
	all := func(s MemorySys) (list []string) {
		add := func(what string, args ...any) { list = append(list, fmt.Sprint(what, args)) }
		base, e := s.Mmap(0, 8*mapPage, protRead|protWrite, anon, -1, 0)
		add("mmap", e)
		add("munmap", s.Munmap(base+4*mapPage, mapPage)) // 4 pages, a hole, 3 pages
		second := func(at uintptr, e syscall.Errno) syscall.Errno {
			if e == 0 {
				s.Munmap(at, mapPage)
			}
			return e
		}
		for _, length := range []int{0, 1, -1, huge, -mapPage} {
			for _, flags := range []int{0, anon, mapShared | mapAnon, 4 | mapAnon, 3 | mapAnon, anon | 0x100, mapShared | mapAnon | 0x100, anon | 1<<30} {
				add("mmap", length, flags, second(s.Mmap(0, length, protRead, flags, -1, 0)))
			}
			for _, at := range []uintptr{0, 1, 4 * mapPage} {
				add("mincore", at, length, s.Mincore(base+at, length, make([]byte, 1)))
				add("munmap", at, length, s.Munmap(base+4*mapPage+at%mapPage, length))
				add("mprotect", at, length, s.Mprotect(base+at, length, protRead|protWrite))
				for _, flags := range []int{0, 1, 2, 3, 4, 8} {
					add("mremap", at, length, flags, second(s.Mremap(base+at, mapPage, length, flags, base+4*mapPage)))
					if length != 1 {
						add("mremap from", at, length, flags, second(s.Mremap(base+at, length, mapPage, flags&^2, 0)))
					}
				}
				if length == huge {
					continue // this machine would take it for all that is mapped behind base
				}
				for _, advice := range []int{-1, 0, 1, 2, 3, 4, 5, 7, 10, 11, 16, 17, 20, 99} {
					add("madvise", at, length, advice, s.Madvise(base+at, length, advice))
				}
			}
		}
		add("over the hole: mprotect", s.Mprotect(base, 8*mapPage, protRead))
		add("madvise", s.Madvise(base, 8*mapPage, madvDontNeed))
		add("mincore", s.Mincore(base, 8*mapPage, make([]byte, 8)))
		add("munmap", s.Munmap(base, 8*mapPage))
		add("munmap again", s.Munmap(base, 8*mapPage))
		add("in the midst of a page", second(s.Mmap(base+1, mapPage, protRead, anon|mapFixed, -1, 0)))
		add("odd offset", second(s.Mmap(0, mapPage, protRead, anon, -1, 1)))
		add("no file", second(s.Mmap(0, mapPage, protRead, mapPrivate, -1, 0)))
		return list
	}
	want, got := all(Linux{}), all(k)
	for i := range want {
		if want[i] != got[i] {
			t.Errorf("%s, want %s", got[i], want[i])
		}
	}
}
