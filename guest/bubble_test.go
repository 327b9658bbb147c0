//go:build tamago

package guest

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

// TestBubble: the kernel is outside of the bubbles of testing/synctest, as Linux is.
// What waits in it waits for anybody, is not blocked for good, and finds the machine's
// time.
func TestBubble(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	name := filepath.Join(t.TempDir(), "f")
	write := make(chan int) // what the goroutine outside is to write
	go func() {
		defer w.Close()
		for range write {
			time.Sleep(20 * time.Millisecond) // somebody waits by then, mostly
			w.Write([]byte("0123"))
		}
	}()
	start := time.Now()
	read := func() {
		b := make([]byte, 4)
		if _, err := io.ReadFull(r, b); err != nil || string(b) != "0123" {
			t.Errorf("read %q, %v", b, err)
		}
	}
	write <- 1
	read()
	for range 2 {
		tell := make(chan int, 1) // outside of the bubble
		go func() { write <- <-tell }()
		synctest.Test(t, func(t *testing.T) {
			got := make(chan bool)
			go func() { read(); close(got) }()
			tell <- 1
			synctest.Wait() // not before the read has ended
			select {
			case <-got:
			default:
				t.Error("who reads from a pipe passes for one who is blocked for good")
			}
			if err := os.WriteFile(name, []byte("x"), 0o644); err != nil {
				t.Error(err)
			}
			// The address of a variable on the stack: another goroutine makes the call.
			var st syscall.Stat_t
			p := append([]byte(name), 0)
			if _, _, e := syscall.Syscall(syscall.SYS_STAT, uintptr(unsafe.Pointer(&p[0])), uintptr(unsafe.Pointer(&st)), 0); e != 0 {
				t.Error(e)
			}
			runtime.KeepAlive(p)
			if mtime := time.Unix(st.Mtim.Unix()); mtime.Before(start.Add(-time.Hour)) {
				t.Errorf("a file was written at %v", mtime)
			}
			before := time.Now()
			time.Sleep(time.Hour)
			if d := time.Since(before); d != time.Hour {
				t.Errorf("an hour in the bubble took %v", d)
			}
		})
		write <- 1
		read()
	}
	close(write)
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
}
