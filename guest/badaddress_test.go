//go:build tamago

package guest

import (
	"bytes"
	"os"
	"reflect"
	"syscall"
	"testing"
	"unsafe"
)

// TestBadAddresses: an address that leads nowhere, or to what must not be written,
// is EFAULT, and nothing was changed.
func TestBadAddresses(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	read := func(at, n uintptr) (uintptr, syscall.Errno) {
		if _, err := w.Write([]byte("0123456789")); err != nil {
			t.Fatal(err)
		}
		got, _, e := syscall.Syscall(syscall.SYS_READ, r.Fd(), at, n)
		if _, err := syscall.Read(int(r.Fd()), make([]byte, 100)); err != nil && err != syscall.EAGAIN {
			t.Fatal(err)
		}
		return got, e
	}
	if err := syscall.SetNonblock(int(r.Fd()), true); err != nil {
		t.Fatal(err)
	}
	write := func(at, n uintptr) (uintptr, syscall.Errno) {
		got, _, e := syscall.Syscall(syscall.SYS_WRITE, w.Fd(), at, n)
		if e == 0 {
			syscall.Read(int(r.Fd()), make([]byte, n))
		}
		return got, e
	}
	space := mmap(t, 4*page, rw)
	defer munmap(t, space)
	hole := mmap(t, page, rw)
	munmap(t, hole)
	copy(space[2*page-16:], "/nowhere\x00 /proc\x00")
	mprotect(t, space[page:2*page], syscall.PROT_READ)
	mprotect(t, space[2*page:3*page], none)
	code := reflect.ValueOf(TestBadAddresses).Pointer()
	text := "a constant of the program's"
	constant := uintptr(unsafe.Pointer(unsafe.StringData(text)))
	arg := uintptr(unsafe.Pointer(unsafe.StringData(os.Args[0])))
	heap := make([]byte, 64)
	large := make([]byte, 8<<20)
	for _, tt := range []struct {
		what           string
		at             uintptr
		reads, written bool
	}{
		{"the middle of nowhere", 0x7f0000000000, false, false},
		{"between RAM and mappings", 1 << 45, false, false},
		{"page tables", 0x100000, false, false},
		{"a device", 0xfee00000, false, false},
		{"what was mapped", addressOf(hole), false, false},
		{"PROT_NONE", addressOf(space[2*page:]), false, false},
		{"PROT_READ", addressOf(space[page:]), true, false},
		{"code", code, true, false},
		{"a constant", constant, true, false},
		{"an argument", arg, true, true},
		{"a mapping", addressOf(space), true, true},
		{"the heap", addressOf(heap), true, true},
		{"a large block", addressOf(large[len(large)-16:]), true, true},
		{"a variable", uintptr(unsafe.Pointer(&variable)), true, true},
	} {
		var was []byte
		if tt.reads {
			was = bytes.Clone(bytesAt(tt.at, 16))
		}
		want := func(good bool, n uintptr, e syscall.Errno) bool {
			return good && n == 5 && e == 0 || !good && e == syscall.EFAULT
		}
		if n, e := write(tt.at, 5); !want(tt.reads, n, e) {
			t.Errorf("%s: write is %d, %v", tt.what, int(n), e)
		}
		n, e := read(tt.at, 5)
		if !want(tt.written, n, e) {
			t.Errorf("%s: read is %d, %v", tt.what, int(n), e)
		}
		if !tt.reads {
			continue
		}
		if now := bytesAt(tt.at, 16); !tt.written && !bytes.Equal(now, was) || tt.written && string(now) != "01234"+string(was[5:]) {
			t.Errorf("%s: %q has become %q", tt.what, was, now)
		}
		if _, _, e := syscall.Syscall(syscall.SYS_CLOCK_GETRES, 0, tt.at, 0); (e == 0) != tt.written || e != 0 && e != syscall.EFAULT {
			t.Errorf("%s: clock_getres is %v", tt.what, e)
		}
		if tt.written {
			copy(bytesAt(tt.at, 16), was)
		}
	}

	// As much as is there is transferred.
	at := addressOf(space[page-3:])
	if n, e := read(at, 5); n != 3 || e != 0 {
		t.Errorf("read over the end of what may be written: %d, %v", int(n), e)
	}
	if n, e := write(addressOf(space[2*page-3:]), 5); n != 3 || e != 0 {
		t.Errorf("write over the end of what may be read: %d, %v", int(n), e)
	}
	iov := []syscall.Iovec{{Base: &heap[0], Len: 4}, {Base: &bytesAt(addressOf(hole), 1)[0], Len: 4}, {Base: &heap[4], Len: 4}}
	n, _, e := syscall.Syscall(syscall.SYS_WRITEV, w.Fd(), uintptr(unsafe.Pointer(&iov[0])), 3)
	if n != 4 || e != 0 {
		t.Errorf("writev with a hole: %d, %v", int(n), e)
	}
	if n, _, e := syscall.Syscall(syscall.SYS_WRITEV, w.Fd(), uintptr(unsafe.Pointer(&iov[1])), 2); e != syscall.EFAULT {
		t.Errorf("writev that begins with a hole: %d, %v", int(n), e)
	}
	// A path may end before what cannot be read.
	for at, want := range map[uintptr]syscall.Errno{addressOf(space[2*page-6:]): 0, addressOf(space[2*page-16:]): syscall.ENOENT, addressOf(space[3*page-1:]): syscall.EFAULT, addressOf(hole): syscall.EFAULT} {
		if _, _, e := syscall.Syscall(syscall.SYS_ACCESS, at, 0, 0); e != want {
			t.Errorf("a path at %#x: %v, want %v", at, e, want)
		}
	}
}

// variable is a destination.
var variable [16]byte
