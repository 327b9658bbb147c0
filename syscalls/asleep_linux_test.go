package syscalls

import (
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs/anonfs"
)

// asleep waits until some goroutine waits in fs.Asleep, or none does.
func asleep(t *testing.T, want bool) {
	t.Helper()
	buf := make([]byte, 1<<20)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if strings.Contains(string(buf[:runtime.Stack(buf, true)]), "/fs.Asleep(") == want {
			return
		}
	}
	t.Fatalf("asleep: %v", !want)
}

// In a guest a trace leaves out the kernel's goroutines, of which this package's are; there
// TestGuestDeadlock (cmd/yolk) looks.

// TestAsleep: who waits for what only the program itself can bring about does so in
// fs.Asleep, as long as that is so.
func TestAsleep(t *testing.T) {
	k := newKernel(t)
	r, w := pipe(t, k, 0)
	done := make(chan syscall.Errno)
	go func() {
		_, e := k.Poll([]int32{int32(r), -1}, []int16{1, 1}, make([]int16, 2), -1)
		done <- e
	}()
	asleep(t, true)
	_, e := k.Write(w, []byte("x"))
	ok(t, e)
	ok(t, <-done)
	_, e = k.Read(r, make([]byte, 1))
	ok(t, e)

	set, e := k.EpollCreate1(0)
	ok(t, e)
	ok(t, k.EpollCtl(set, anonfs.Add, r, &EpollEvent{Events: 1}))
	go func() {
		_, e := k.EpollWait(set, make([]EpollEvent, 1), -1)
		done <- e
	}()
	asleep(t, true)
	timer, e := k.TimerfdCreate(1, 0)
	ok(t, e)
	ok(t, k.EpollCtl(set, anonfs.Add, timer, &EpollEvent{Events: 1}))
	asleep(t, false)
	_, e = k.Write(w, []byte("x"))
	ok(t, e)
	ok(t, <-done)
}
