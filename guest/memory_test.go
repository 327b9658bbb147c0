//go:build tamago

package guest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

const (
	none = syscall.PROT_NONE
	rw   = syscall.PROT_READ | syscall.PROT_WRITE
	rx   = syscall.PROT_READ | syscall.PROT_EXEC
	rwx  = rw | rx
	page = 4096
)

// bytesAt are the n bytes at an address of a mapping.
func bytesAt(at uintptr, n int) []byte { return unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), n) }

func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

func mmap(t testing.TB, size, prot int) []byte {
	t.Helper()
	at, _, e := syscall.Syscall6(syscall.SYS_MMAP, 0, uintptr(size), uintptr(prot),
		syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE, ^uintptr(0), 0)
	if e != 0 {
		t.Fatal(e)
	}
	return bytesAt(at, size)
}

// munmap takes away any part of mappings.
func munmap(t testing.TB, b []byte) {
	t.Helper()
	if _, _, e := syscall.Syscall(syscall.SYS_MUNMAP, addressOf(b), uintptr(len(b)), 0); len(b) > 0 && e != 0 {
		t.Error(e)
	}
}

func mprotect(t testing.TB, b []byte, prot int) {
	t.Helper()
	if err := syscall.Mprotect(b, prot); err != nil {
		t.Error(err)
	}
}

// faultAt gives the address at which f faults.
func faultAt(f func()) (addr uintptr, faulted bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if e, ok := recover().(interface{ Addr() uintptr }); ok {
			addr, faulted = e.Addr(), true
		}
	}()
	f()
	return 0, false
}

// returns writes a function that returns n to b.
func returns(b []byte, n uint32) {
	b[0] = 0xb8 // MOV EAX, n
	binary.LittleEndian.PutUint32(b[1:], n)
	b[5] = 0xc3 // RET
}

// call calls what lies at b.
func call(b []byte) uint32 {
	code := unsafe.Pointer(&b[0])
	p := &code
	return (*(*func() uint32)(unsafe.Pointer(&p)))()
}

var seen byte

// TestProtection: a wrong access, of each kind, is a panic with its address, and a
// right one is none, from the moment that mprotect returns.
func TestProtection(t *testing.T) {
	b := mmap(t, 8*page, none)
	defer munmap(t, b)
	b = b[2*page : 5*page]
	at := addressOf(b[page+5:])
	for _, c := range []struct {
		prot              int
		read, write, exec bool
	}{
		{none, false, false, false}, {syscall.PROT_READ, true, false, false}, {rw, true, true, false}, {rx, true, false, true},
		{none, false, false, false}, {rwx, true, true, true}, {syscall.PROT_READ, true, false, false}, {none, false, false, false},
	} {
		mprotect(t, b[page:2*page], rw)
		returns(b[page+5:], 7)
		mprotect(t, b[page:2*page], c.prot)
		for what, a := range map[string]struct {
			may bool
			f   func()
		}{
			"read":    {c.read, func() { seen = b[page+5] }},
			"write":   {c.write, func() { b[page+5] = 0xb8 }},
			"execute": {c.exec, func() { call(b[page+5:]) }},
		} {
			if addr, faulted := faultAt(a.f); faulted == a.may || faulted && addr != at {
				t.Errorf("%s with protection %d: fault %t at %#x, want %t at %#x", what, c.prot, faulted, addr, !a.may, at)
			}
		}
		if _, faulted := faultAt(func() { seen = b[0] }); !faulted {
			t.Error("the neighbour can be read")
		}
	}
	for what, at := range map[string]uintptr{
		"the program's code": reflect.ValueOf(TestProtection).Pointer() &^ (page - 1),
		"its heap":           (addressOf(make([]byte, 3*page)) + page) &^ (page - 1),
	} {
		if _, _, e := syscall.Syscall(syscall.SYS_MPROTECT, at, page, none); e != syscall.EACCES {
			t.Errorf("mprotect of %s: %v", what, e)
		}
	}
}

// TestReservation: addresses take no memory, a page takes a page, and what was given
// back is the heap's again.
func TestReservation(t *testing.T) {
	var m runtime.MemStats
	other := func() int {
		runtime.ReadMemStats(&m) // which checks the runtime's books
		return int(m.OtherSys)
	}
	was := other()
	// The runtime has a chunk of 256 KiB for each P that has needed one so far.
	chunks := runtime.GOMAXPROCS(0) * 256 << 10
	b := mmap(t, 1<<40, none)
	mprotect(t, b[1<<30:1<<39], rw)
	if n := other() - was; n > 1<<20+chunks {
		t.Errorf("1 TiB of addresses takes %d bytes", n)
	}
	for at := 1 << 30; at < 1<<39; at += 1 << 33 {
		b[at]++
		if b[at] != 1 || b[at+1] != 0 {
			t.Errorf("at %#x %d", at, b[at])
		}
	}
	few := other() - was
	if few > 4<<20+chunks { // three tables for each
		t.Errorf("64 pages take %d bytes", few)
	}
	const size = 16 << 20
	for round := range 20 {
		clear(b[1<<30 : 1<<30+size])
		if n := other() - was; n < size || n > size+size/64+few+chunks {
			t.Errorf("%d bytes take %d", size, n)
		}
		if round%2 == 0 {
			if err := syscall.Madvise(b[1<<30:1<<30+size], syscall.MADV_DONTNEED); err != nil {
				t.Error(err)
			}
		} else {
			munmap(t, b[1<<30:1<<30+size])
			if _, _, e := syscall.Syscall6(syscall.SYS_MMAP, uintptr(unsafe.Pointer(&b[1<<30])), size, rw,
				syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_FIXED, ^uintptr(0), 0); e != 0 {
				t.Error(e)
			}
		}
		if n := other() - was; n > few+size/64+chunks {
			t.Errorf("%d bytes are left", n)
		}
	}
	munmap(t, b)
	if n := other() - was; n > 1<<20+chunks {
		t.Errorf("%d bytes are left in the end", n)
	}
}

// TestFaultsUnderLocks: a page is there as well where the runtime that touches it
// holds a lock, and for each way to touch it.
func TestFaultsUnderLocks(t *testing.T) {
	const n = 64
	b := mmap(t, 4*n*page, rw)
	defer munmap(t, b)
	type large [64]uint64
	for i := range n {
		c := make(chan large, 1)
		p := (*large)(unsafe.Pointer(&b[i*page]))
		c <- *p // under the channel's lock
		*p = <-c
		select {
		case c <- *(*large)(unsafe.Pointer(&b[(n+i)*page])):
		default:
		}
		copy(b[(2*n+i)*page:], "some bytes")
		if s := unsafe.String(&b[(3*n+i)*page], 8); fmt.Sprint(s) != "\x00\x00\x00\x00\x00\x00\x00\x00" {
			t.Errorf("%q", s)
		}
	}
}

// TestMemoryStorm has goroutines map, touch, protect, run, move and unmap memory at
// once. Each finds what it stored, zero where nothing was, and a fault where it may
// not touch. All CPUs have to answer several times in a round, which takes long
// where the host has fewer: there it is fewer rounds.
func TestMemoryStorm(t *testing.T) {
	start := time.Now()
	rounds := 80
	if testing.Short() {
		rounds = 20
	}
	var all sync.WaitGroup
	var stop atomic.Bool
	for range 2 { // who allocates and collects meanwhile
		go func() {
			var keep [64][]byte
			for i := 0; !stop.Load(); i++ {
				keep[i%64] = make([]byte, 1+rand.IntN(64<<10))
				if i%64 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		}()
	}
	for w := range 6 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 0))
			for i := range rounds {
				if i >= rounds/8 && time.Since(start) > 15*time.Second {
					return
				}
				n := 1 + r.IntN(40)
				if r.IntN(10) == 0 {
					n = 600 // more than a table
				}
				b := mmap(t, n*page, rw)
				for p := range n {
					if b[p*page] != 0 || b[p*page+page-1] != 0 {
						t.Errorf("worker %d: a new page is not zero", w)
						return
					}
					binary.LittleEndian.PutUint64(b[p*page:], uint64(w)<<32|uint64(p))
				}
				k := r.IntN(n)
				one := b[k*page : k*page+page]
				if r.IntN(2) == 0 {
					mprotect(t, one, rw)
					returns(one[64:], uint32(i))
					mprotect(t, one, rx)
					if got := call(one[64:]); got != uint32(i) {
						t.Errorf("worker %d: %d returned, want %d", w, got, i)
					}
				} else {
					mprotect(t, one, syscall.PROT_READ)
				}
				if _, faulted := faultAt(func() { one[8] = 1 }); !faulted {
					t.Errorf("worker %d: written", w)
				}
				mprotect(t, one, none)
				if _, faulted := faultAt(func() { seen = one[8] }); !faulted {
					t.Errorf("worker %d: read", w)
				}
				mprotect(t, one, syscall.PROT_READ)
				if r.IntN(3) == 0 {
					at, _, e := syscall.Syscall6(syscall.SYS_MREMAP, uintptr(unsafe.Pointer(&one[0])), page, 3*page, 1, 0, 0)
					if e != 0 {
						t.Errorf("mremap: %v", e)
						return
					}
					moved := bytesAt(at, 3*page)
					if got := binary.LittleEndian.Uint64(moved); got != uint64(w)<<32|uint64(k) || moved[2*page] != 0 {
						t.Errorf("worker %d: %#x was moved", w, got)
					}
					munmap(t, moved)
					munmap(t, b[:k*page])
					munmap(t, b[(k+1)*page:])
					continue
				}
				for p := range n {
					if got := binary.LittleEndian.Uint64(b[p*page:]); got != uint64(w)<<32|uint64(p) {
						t.Errorf("worker %d: page %d has %#x", w, p, got)
						return
					}
				}
				munmap(t, b)
			}
		})
	}
	all.Wait()
	stop.Store(true)
}

// TestSharedCode: code that one CPU changes is what the others run.
func TestSharedCode(t *testing.T) {
	b := mmap(t, page, rwx)
	defer munmap(t, b)
	for i := range uint32(50) {
		mprotect(t, b, rw)
		returns(b, i)
		mprotect(t, b, rx)
		var all sync.WaitGroup
		for range 2 * runtime.NumCPU() {
			all.Go(func() {
				if got := call(b); got != i {
					t.Errorf("%d, want %d", got, i)
				}
			})
		}
		all.Wait()
	}
}

// TestProtectionOnEveryCPU: all CPUs go by a new protection, whether it allows more
// than the one that they know, or less.
func TestProtectionOnEveryCPU(t *testing.T) {
	b := mmap(t, page, rw)
	defer munmap(t, b)
	n := runtime.NumCPU()
	for i := range 50 {
		for _, prot := range []int{syscall.PROT_READ, rw, none, syscall.PROT_READ, none, rw} {
			mprotect(t, b, prot)
			var all sync.WaitGroup
			var began atomic.Int32
			for k := range n {
				all.Go(func() {
					began.Add(1)
					for int(began.Load()) < n { // each on a CPU of its own, if there is time
						runtime.Gosched()
					}
					_, read := faultAt(func() { sink.Add(uint64(b[k])) })
					_, written := faultAt(func() { b[k] = byte(i) })
					if read == (prot != none) || written == (prot == rw) {
						t.Errorf("round %d, protection %d: reads fault %t, writes fault %t", i, prot, read, written)
					}
				})
			}
			all.Wait()
		}
	}
}
