//go:build tamago

package guest

import (
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"
)

// Calls whose arguments lead to the stack of the goroutine, by variables that the
// compiler knows nothing of.

// statOnStack is the type of the file "/", or whatever was stored elsewhere.
//
//go:noinline
func statOnStack() (uint32, syscall.Errno) {
	var st syscall.Stat_t
	path := [2]byte{'/', 0}
	p, s := uintptr(unsafe.Pointer(&path)), uintptr(unsafe.Pointer(&st))
	_, _, e := syscall.Syscall(syscall.SYS_STAT, p, s, 0)
	return st.Mode & syscall.S_IFMT, e
}

// readOnStack reads four bytes.
//
//go:noinline
func readOnStack(fd uintptr) (string, syscall.Errno) {
	var b [4]byte
	at := uintptr(unsafe.Pointer(&b))
	_, _, e := syscall.Syscall(syscall.SYS_READ, fd, at, 4)
	return string(b[:]), e
}

// growStack takes a stack of more than n times 256 bytes.
//
//go:noinline
func growStack(n int) byte {
	var b [256]byte
	if n > 0 {
		b[n%256] = growStack(n-1) + 1
	}
	return b[n%256]
}

// TestCallOnStack makes calls from small and from large stacks that may shrink,
// bound to threads or not, while the collector runs.
func TestCallOnStack(t *testing.T) {
	var over atomic.Bool
	var collector sync.WaitGroup
	collector.Go(func() {
		for !over.Load() {
			runtime.GC()
		}
	})
	var all sync.WaitGroup
	for n := range 12 {
		all.Go(func() {
			if n%4 == 0 {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
			}
			for i := range 200 {
				if i%20 == 0 {
					growStack(10 * i)
				}
				if kind, e := statOnStack(); kind != syscall.S_IFDIR || e != 0 {
					t.Errorf("stat: %#o, %v", kind, e)
				}
			}
		})
	}
	all.Wait()

	// The collector runs while calls wait, on stacks that it would halve.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	fd := r.Fd() // blocks
	for range 20 {
		all.Go(func() {
			growStack(200)
			if s, e := readOnStack(fd); s != "abcd" || e != 0 {
				t.Errorf("read: %q, %v", s, e)
			}
		})
	}
	for range 20 {
		runtime.GC()
		runtime.GC()
		if _, err := w.WriteString("abcd"); err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
	over.Store(true)
	collector.Wait()
}

// TestCallOnStackMissed: a call that is not there is its function's, whichever
// goroutine makes it.
func TestCallOnStackMissed(t *testing.T) {
	var b [8]byte
	at := uintptr(unsafe.Pointer(&b))
	if _, _, e := syscall.Syscall(9999, at, 0, 0); e != syscall.ENOSYS {
		t.Error(e)
	}
	list, err := os.ReadFile("/proc/yolk/enosys")
	if err != nil || !strings.Contains(string(list), "1 9999 - github.com/yolkos/yolk/guest.TestCallOnStackMissed\n") {
		t.Errorf("%s, %v", list, err)
	}
}

// TestCallOnStackAllocates: nothing.
func TestCallOnStackAllocates(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { statOnStack() }); n > 1 { // the path
		t.Errorf("%v allocations", n)
	}
}
