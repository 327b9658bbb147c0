package syscalls

import (
	"bytes"
	"sync"
	"syscall"
	"unsafe"
)

// args are the six words of a system call. What they mean is the call's; the
// methods decode them, and nothing else makes an address of a word.
//
// An address that leads nowhere is EFAULT: those of the first page, where nil
// pointers lead, and beyond the 47 bits of a program, and what Mapped denies; so is
// one where a result goes and that must not be written. Program and kernel share
// one address space, so that of addresses which lead somewhere none is wrong.
//
// What a call reads is an object, an array, memory or a vector; where it puts
// something is a place or room.
type args [6]uintptr

const (
	lowest    = pageSize         // where addresses begin
	taskSize  = 1<<47 - pageSize // where they end: TASK_SIZE_MAX
	maxRW     = 1<<31 - pageSize // bytes that one call reads or writes: MAX_RW_COUNT
	pathMax   = 4096             // bytes with the NUL
	xattrMax  = 65536            // bytes: XATTR_SIZE_MAX
	xattrName = 256              // bytes with the NUL: XATTR_NAME_MAX
)

// An int of C has the lower half of a word.

func (a args) int(i int) int       { return int(int32(a[i])) }
func (a args) uint32(i int) uint32 { return uint32(a[i]) }
func (a args) int64(i int) int64   { return int64(a[i]) }

// size is a count of bytes for one read or write.
func (a args) size(i int) (int, syscall.Errno) {
	if int64(a[i]) < 0 {
		return 0, syscall.EINVAL
	}
	return int(min(a[i], maxRW)), 0
}

// Mapped tells how many of the n bytes from addr on, n not 0, are memory that may
// be read, or with write, written. There is one address space, and so it is not a
// Kernel's. It is set before the first call; nil: every address in range is taken
// for good.
var Mapped func(addr, n uintptr, write bool) uintptr

// valid tells whether n bytes at addr are memory of a program.
func valid(addr, n uintptr, write bool) bool { return n == 0 || reach(addr, n, write) == n }

// reach tells how many of the n bytes from addr on are memory of a program.
func reach(addr, n uintptr, write bool) uintptr {
	switch {
	case addr < lowest || addr >= taskSize || n > taskSize-addr:
		return 0
	case Mapped == nil || n == 0:
		return n
	}
	return Mapped(addr, n, write)
}

// at makes a pointer of an address that is valid. The caller of the system call
// keeps alive what is there.
func at(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }

// memory is the n bytes of the program at addr, to be read.
func memory(addr, n uintptr) ([]byte, syscall.Errno) { return region[byte](addr, n, false) }

// room is memory to be written.
func room(addr, n uintptr) ([]byte, syscall.Errno) { return region[byte](addr, n, true) }

// object is the value at address addr, to be read; a nil pointer and EFAULT where
// there can be none.
func object[T any](addr uintptr) (*T, syscall.Errno) { return single[T](addr, false) }

// place is object, but to be written, or both.
func place[T any](addr uintptr) (*T, syscall.Errno) { return single[T](addr, true) }

func single[T any](addr uintptr, write bool) (*T, syscall.Errno) {
	if !valid(addr, unsafe.Sizeof(*new(T)), write) {
		return nil, syscall.EFAULT
	}
	return (*T)(at(addr)), 0
}

// optional is object, but nil for address 0.
func optional[T any](addr uintptr) (*T, syscall.Errno) {
	if addr == 0 {
		return nil, 0
	}
	return object[T](addr)
}

// optionalPlace is place, but nil for address 0.
func optionalPlace[T any](addr uintptr) (*T, syscall.Errno) {
	if addr == 0 {
		return nil, 0
	}
	return place[T](addr)
}

// array is n values at addr, to be read.
func array[T any](addr, n uintptr) ([]T, syscall.Errno) { return region[T](addr, n, false) }

// places is array, but to be written, or both.
func places[T any](addr, n uintptr) ([]T, syscall.Errno) { return region[T](addr, n, true) }

func region[T any](addr, n uintptr, write bool) ([]T, syscall.Errno) {
	size := unsafe.Sizeof(*new(T))
	if n > taskSize/size || !valid(addr, n*size, write) {
		return nil, syscall.EFAULT
	}
	if n == 0 {
		return nil, 0
	}
	return unsafe.Slice((*T)(at(addr)), n), 0
}

// bytes is the buffer at word i whose size is word n, to be read; room, to be
// written. Of one that is not memory to its end, it is what is: as much is
// transferred.

func (a args) bytes(i, n int) ([]byte, syscall.Errno) { return a.buffer(i, n, false) }
func (a args) room(i, n int) ([]byte, syscall.Errno)  { return a.buffer(i, n, true) }

func (a args) buffer(i, n int, write bool) ([]byte, syscall.Errno) {
	size, e := a.size(n)
	if e != 0 || size == 0 {
		return nil, e
	}
	there := reach(a[i], uintptr(size), write)
	if there == 0 {
		return nil, syscall.EFAULT
	}
	return unsafe.Slice((*byte)(at(a[i])), there), 0
}

// text is a copy of the string at addr that ends with a NUL among the first
// limit bytes; tooLong if it does not. It looks at no page that the string does
// not reach.
func text(addr uintptr, limit int, tooLong syscall.Errno) (string, syscall.Errno) {
	for n := 0; n < limit; {
		part := min(pageSize-int((addr+uintptr(n))%pageSize), limit-n)
		b, e := memory(addr+uintptr(n), uintptr(part))
		if e != 0 {
			return "", e
		}
		if i := bytes.IndexByte(b, 0); i >= 0 {
			all, _ := memory(addr, uintptr(n+i))
			return string(all), 0
		}
		n += part
	}
	return "", tooLong
}

// path is the path at word i.
func (a args) path(i int) (string, syscall.Errno) { return text(a[i], pathMax, syscall.ENAMETOOLONG) }

// paths are those at words i and j.
func (a args) paths(i, j int) (p, q string, e syscall.Errno) {
	if p, e = a.path(i); e == 0 {
		q, e = a.path(j)
	}
	return p, q, e
}

// vector is the buffers of a call, which costs no allocation.
type vector struct{ bufs [][]byte }

var vectors = sync.Pool{New: func() any { return new(vector) }}

func (v *vector) release() {
	clear(v.bufs)
	v.bufs = v.bufs[:0]
	vectors.Put(v)
}

// vector has v be the buffers of a struct iovec array at word i with as many
// elements as word n says, together no more than one call takes; to be written if
// write. It ends where they are not memory.
func (a args) vector(i, n int, write bool, v *vector) syscall.Errno {
	return v.decode(a[i], a[n], write)
}

// decode is args.vector of the n elements at addr.
func (v *vector) decode(addr, n uintptr, write bool) syscall.Errno {
	if n > maxBuffers {
		return syscall.EINVAL
	}
	iov, e := array[syscall.Iovec](addr, n)
	if e != 0 {
		return e
	}
	left := uintptr(maxRW)
	short := false
	for _, p := range iov {
		if int64(p.Len) < 0 {
			return syscall.EINVAL
		}
		size := min(uintptr(p.Len), left)
		if size == 0 {
			continue
		}
		left -= size
		addr, there := uintptr(unsafe.Pointer(p.Base)), uintptr(0)
		switch {
		case addr > taskSize-size:
			return syscall.EFAULT
		case !short:
			there = reach(addr, size, write)
		}
		if there > 0 {
			v.bufs = append(v.bufs, unsafe.Slice(p.Base, there))
		}
		short = short || there < size
	}
	if short && len(v.bufs) == 0 {
		return syscall.EFAULT
	}
	return 0
}

// count is a method's result that counts something.
func count(n int, e syscall.Errno) (uintptr, syscall.Errno) { return uintptr(n), e }

// only is a method's result that is an error alone.
func only(e syscall.Errno) (uintptr, syscall.Errno) { return 0, e }
