package syscalls

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
)

// TestNoStoreIsLost has goroutines store into two mappings of a file and write by
// descriptors, each to words of its own, while others write the pages back, map
// and unmap, and change the size behind them. Each sees at once what it stored,
// by whichever way, and the file has all of it in the end.
func TestNoStoreIsLost(t *testing.T) {
	const (
		pages   = 48
		workers = 6
		rounds  = 1500
	)
	k := withMemory(t)
	put(t, k, "f", "")
	fd := open(t, k, "f", syscall.O_RDWR)
	ok(t, k.Ftruncate(fd, pages*pageSize))
	maps := [2][]byte{
		mmap(t, k, fd, 0, pages*pageSize, protRead|protWrite, mapShared),
		mmap(t, k, fd, 0, (pages+8)*pageSize, protRead|protWrite, mapShared),
	}
	var done atomic.Bool
	var disturbers, all sync.WaitGroup
	disturb := func(f func(r *rand.Rand)) {
		disturbers.Go(func() {
			for r := rand.New(rand.NewPCG(1, 0)); !done.Load(); {
				f(r)
			}
		})
	}
	disturb(func(*rand.Rand) {
		if e := k.Fsync(fd); e != 0 {
			t.Error("fsync: ", e)
		}
	})
	disturb(func(r *rand.Rand) {
		at := r.IntN(pages) * pageSize
		if e := k.Msync(address(maps[r.IntN(2)][at:at+pageSize]), len(maps[r.IntN(2)][at:at+pageSize]), msAsync|r.IntN(2)*msInvalidate); e != 0 {
			t.Error("msync: ", e)
		}
	})
	disturb(func(r *rand.Rand) {
		m, e := mmapped(k, fd, int64(r.IntN(pages)*pageSize), 8*pageSize, protRead|protWrite, mapShared)
		if e == 0 {
			m[16+8*workers]++ // of the first page, which is in the file
			e = k.Munmap(address(m), len(m))
		}
		if e != 0 {
			t.Error("mmap, munmap: ", e)
		}
	})
	disturb(func(r *rand.Rand) {
		at := int64(r.IntN(pages)*pageSize + 1024 + r.IntN(2048))
		if e := k.Fallocate(fd, []uint32{0, fs.FallocPunch | fs.FallocKeepSize, fs.FallocKeepSize}[r.IntN(3)], at, 100); e != 0 {
			t.Error("fallocate: ", e)
		}
	})
	disturb(func(r *rand.Rand) {
		if e := k.Ftruncate(fd, int64(pages*pageSize+r.IntN(8*pageSize))); e != 0 {
			t.Error("ftruncate: ", e)
		}
	})
	var last [workers][pages]uint64
	for w := range workers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(w)))
			var word [8]byte
			for i := range rounds {
				page := r.IntN(pages)
				at := page*pageSize + 8*w
				want := uint64(i)<<8 | uint64(w) + 1
				binary.LittleEndian.PutUint64(word[:], want)
				way := r.IntN(3)
				if way < 2 {
					copy(maps[way][at:], word[:])
				} else if _, e := k.Pwrite(fd, word[:], int64(at)); e != 0 {
					t.Error("pwrite: ", e)
				}
				last[w][page] = want
				page = r.IntN(pages)
				at = page*pageSize + 8*w
				seen := r.IntN(3)
				if seen < 2 {
					copy(word[:], maps[seen][at:])
				} else if _, e := k.Pread(fd, word[:], int64(at)); e != 0 {
					t.Error("pread: ", e)
				}
				if got := binary.LittleEndian.Uint64(word[:]); got != last[w][page] {
					t.Errorf("worker %d round %d, page %d: %#x by way %d, want %#x", w, i, page, got, seen, last[w][page])
					return
				}
			}
		})
	}
	all.Wait()
	done.Store(true)
	disturbers.Wait()
	ok(t, k.Munmap(address(maps[0]), len(maps[0])))
	ok(t, k.Munmap(address(maps[1]), len(maps[1])))
	nothingLeft(t, k)
	buf := make([]byte, pages*pageSize)
	n, e := k.Pread(fd, buf, 0)
	if ok(t, e); n != len(buf) {
		t.Fatalf("the file has %d bytes", n)
	}
	for w := range workers {
		for page := range pages {
			if got := binary.LittleEndian.Uint64(buf[page*pageSize+8*w:]); got != last[w][page] {
				t.Errorf("worker %d, page %d: the file has %#x, want %#x", w, page, got, last[w][page])
			}
		}
	}
}
