package syscalls

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/fs/unixsocket"
)

// FuzzCalls makes any system calls by number with any words. Whatever a program
// passes, the kernel's own code does not crash for it.
func FuzzCalls(f *testing.F) {
	for num := range len(calls) {
		n := byte(num >> 8)
		f.Add([]byte{byte(num), n, 4, 0, 1, 0, 2, 3})
		f.Add([]byte{byte(num), n, 130, 131, 132, 133, 134, 135})
		// open("a", O_CREAT|O_RDWR), then the call on it.
		f.Add([]byte{syscall.SYS_OPEN, 0, 132, 14, 19, 0, 0, 0, byte(num), n, 0, 140, 8, 0, 140, 8})
		f.Add([]byte{syscall.SYS_OPEN, 0, 132, 14, 19, 0, 0, 0, byte(num), n, 0, 133, 141, 9, 0, 0})
		// socketpair(AF_UNIX, SOCK_STREAM), a sendto and the call on the other.
		f.Add([]byte{syscall.SYS_SOCKETPAIR, 0, 1, 1, 0, 140, 0, 0, syscall.SYS_SENDTO, 0, 0, 140, 7, 0, 0, 0, byte(num), n, 1, 140, 8, 0, 140, 8})
		f.Add([]byte{syscall.SYS_SOCKETPAIR, 0, 1, 2, 0, 140, 0, 0, syscall.SYS_SENDTO, 0, 0, 140, 7, 0, 0, 0, byte(num), n, 1, 133, 141, 9, 0, 0})
	}
	memory := sync.OnceValue(newFuzzMemory)
	Mapped = func(addr, n uintptr, write bool) uintptr {
		m := memory()
		start := uintptr(unsafe.Pointer(&m[0]))
		if addr < start || addr-start >= uintptr(len(m)) {
			return 0
		}
		return min(n, uintptr(len(m))-(addr-start))
	}
	f.Cleanup(func() { Mapped = nil })
	f.Fuzz(func(t *testing.T, b []byte) {
		m := memory()
		k := New(fs.New(tmpfs.New(tmpfs.Limits{Bytes: 1 << 20, Files: 100}), fs.MountOptions{}))
		k.Random = func(p []byte) error { return nil }
		k.Families[syscall.AF_UNIX] = unixsocket.New(k)
		w := &words{bytes: b, memory: m}
		m.lay()
		for n := 0; len(w.bytes) > 0 && n < 64; n++ {
			w.call(k)
		}
		for _, fd := range k.Descriptors() {
			k.Close(fd)
		}
	})
}

// fuzzMemory is what good addresses lead to: more than one call can ask for.
type fuzzMemory []byte

func newFuzzMemory() fuzzMemory {
	m, err := syscall.Mmap(-1, 0, 1<<32, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE)
	if err != nil {
		panic(err)
	}
	return m
}

const (
	fuzzPaths = 0       // one each slot
	fuzzData  = 1 << 16 // structures, vectors and buffers
	fuzzSlot  = 8192
)

var fuzzNames = []string{
	"", "/", ".", "..", "a", "b", "a/b", "/a/../b", "d", "d/e", "../../a", "a/", "//", string(slices.Repeat([]byte("x"), 5000)), "user.x", "tmpfs",
}

// lay writes the paths, and vectors that lead into the memory and out of it.
func (m fuzzMemory) lay() {
	clear(m[:fuzzData+20*fuzzSlot])
	for i, name := range fuzzNames {
		copy(m[fuzzPaths+i*fuzzSlot/2:], name)
	}
	iov := (*[4]syscall.Iovec)(unsafe.Pointer(&m[fuzzData]))
	for i, size := range []uint64{3, 0, 100, 1 << 20} {
		iov[i] = syscall.Iovec{Base: &m[fuzzData+i*100], Len: size}
	}
	iov = (*[4]syscall.Iovec)(unsafe.Pointer(&m[fuzzData+fuzzSlot]))
	for i, size := range []uint64{5, math.MaxUint64, 1 << 62, 7} {
		iov[i] = syscall.Iovec{Base: &m[fuzzData+i*100], Len: size}
	}
}

// words makes calls out of bytes.
type words struct {
	bytes  []byte
	memory fuzzMemory
}

func (w *words) next() byte {
	if len(w.bytes) == 0 {
		return 0
	}
	b := w.bytes[0]
	w.bytes = w.bytes[1:]
	return b
}

// numbers are those at which something may break.
var numbers = []int64{
	0, 1, 2, 3, 4, AT_FDCWD, -1, 8, 4095, 4096, 65536, 1 << 20, 1 << 31, math.MaxInt64,
	syscall.O_CREAT | syscall.O_RDWR, syscall.O_APPEND | syscall.O_RDWR, syscall.O_DIRECTORY, O_PATH, math.MinInt64, 0o777,
	1 << 47, 1<<47 - 4096, 1<<47 - 1, -4096, 1 << 32, 1<<32 + 1,
}

// word is a number, or an address: 128 and more are the paths, 140 and more
// other memory.
func (w *words) word() uintptr {
	b := w.next()
	switch {
	case int(b) < len(numbers):
		return uintptr(numbers[b])
	case b < 128:
		return uintptr(b) - uintptr(len(numbers))
	case b < 140:
		return uintptr(unsafe.Pointer(&w.memory[fuzzPaths+int(b-128)*fuzzSlot/2]))
	case b < 160:
		return uintptr(unsafe.Pointer(&w.memory[fuzzData+int(b-140)*fuzzSlot]))
	case b < 170: // almost at the end of a page, unaligned
		return uintptr(unsafe.Pointer(&w.memory[fuzzData+int(b-160+1)*fuzzSlot-3]))
	}
	var n [8]byte
	for i := range n {
		n[i] = w.next()
	}
	return uintptr(binary.LittleEndian.Uint64(n[:]))
}

// fuzzHang is when a call hangs.
const fuzzHang = time.Minute

// timeAt is which word of a call says where the time lies for which it waits.
var timeAt = map[uintptr]int{syscall.SYS_PPOLL: 2, syscall.SYS_SELECT: 4, syscall.SYS_PSELECT6: 4, 441: 3, syscall.SYS_FUTEX: 3} // epoll_pwait2

// notCalled end the program, or wait for what nobody does here.
var notCalled = []uintptr{
	syscall.SYS_EXIT, syscall.SYS_EXIT_GROUP,
	syscall.SYS_PAUSE, syscall.SYS_RT_SIGSUSPEND, syscall.SYS_RT_SIGTIMEDWAIT, syscall.SYS_NANOSLEEP, syscall.SYS_CLOCK_NANOSLEEP,
}

func (w *words) call(k *Kernel) {
	num := uintptr(w.next()) | uintptr(w.next())<<8
	a := [6]uintptr{}
	for i := range a {
		a[i] = w.word()
	}
	switch {
	case slices.Contains(notCalled, num):
		return
	case num == syscall.SYS_CREAT:
		return // of a FIFO it waits for somebody who reads
	case num == syscall.SYS_OPEN:
		a[1] |= syscall.O_NONBLOCK
	case num == syscall.SYS_OPENAT:
		a[2] |= syscall.O_NONBLOCK
	case num == syscall.SYS_POLL:
		a[2] = 0
	case num == syscall.SYS_EPOLL_WAIT || num == syscall.SYS_EPOLL_PWAIT:
		a[3] = 0
	case timeAt[num] > 0:
		atOnce := w.memory[fuzzData+19*fuzzSlot:][:16] // zero nanoseconds
		clear(atOnce)
		a[timeAt[num]] = uintptr(unsafe.Pointer(&atOnce[0]))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.Call(num, a[0], a[1], a[2], a[3], a[4], a[5])
	}()
	hung := time.After(fuzzHang)
	for { // what waits for somebody else is interrupted
		select {
		case <-done:
			return
		case <-hung:
			panic(fmt.Sprintf("call %d %#x does not end", num, a))
		default:
			for _, fd := range k.Descriptors() {
				k.Interrupt(fd)
			}
			runtime.Gosched() // on one CPU the call waits for its turn
		}
	}
}
