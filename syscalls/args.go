package syscalls

import (
	"bytes"
	"syscall"
	"unsafe"
)

// args are the six words of a system call. What they mean is the call's; the
// methods decode them, and nothing else makes an address of a word.
//
// An address that leads nowhere is EFAULT: those of the first page, where nil
// pointers lead, and beyond the 47 bits of a program, and what Mapped denies.
// Program and kernel share one address space, so that of addresses which lead
// somewhere none is wrong.
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

// Mapped tells whether n bytes at addr are memory, n not 0. There is one
// address space, and so it is not a Kernel's. It is set before the first call;
// nil: every address in range is taken for good.
var Mapped func(addr, n uintptr) bool

// valid tells whether n bytes at addr are memory of a program.
func valid(addr, n uintptr) bool {
	return n == 0 || addr >= lowest && addr < taskSize && n <= taskSize-addr && (Mapped == nil || Mapped(addr, n))
}

// at makes a pointer of an address that is valid. The caller of the system call
// keeps alive what is there.
func at(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }

// memory is the n bytes of the program at addr.
func memory(addr, n uintptr) ([]byte, syscall.Errno) {
	if !valid(addr, n) {
		return nil, syscall.EFAULT
	}
	if n == 0 {
		return nil, 0
	}
	return unsafe.Slice((*byte)(at(addr)), n), 0
}

// bytes is the buffer at word i whose size is word n.
func (a args) bytes(i, n int) ([]byte, syscall.Errno) {
	size, e := a.size(n)
	if e != 0 {
		return nil, e
	}
	return memory(a[i], uintptr(size))
}

// object is the value at address addr; a nil pointer and EFAULT where there can
// be none.
func object[T any](addr uintptr) (*T, syscall.Errno) {
	if !valid(addr, unsafe.Sizeof(*new(T))) {
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

// array is n values at addr.
func array[T any](addr, n uintptr) ([]T, syscall.Errno) {
	size := unsafe.Sizeof(*new(T))
	if n > taskSize/size || !valid(addr, n*size) {
		return nil, syscall.EFAULT
	}
	if n == 0 {
		return nil, 0
	}
	return unsafe.Slice((*T)(at(addr)), n), 0
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

// vector is the buffers of a struct iovec array at word i with as many elements
// as word n says, together no more than one call takes.
func (a args) vector(i, n int) ([][]byte, syscall.Errno) {
	if a[n] > maxBuffers {
		return nil, syscall.EINVAL
	}
	iov, e := array[syscall.Iovec](a[i], a[n])
	if e != 0 {
		return nil, e
	}
	left := uintptr(maxRW)
	var bufs [][]byte
	for _, v := range iov {
		if int64(v.Len) < 0 {
			return nil, syscall.EINVAL
		}
		size := min(uintptr(v.Len), left)
		b, e := memory(uintptr(unsafe.Pointer(v.Base)), size)
		if e != 0 {
			return nil, e
		}
		left -= size
		if len(b) > 0 {
			bufs = append(bufs, b)
		}
	}
	return bufs, 0
}

// count is a method's result that counts something.
func count(n int, e syscall.Errno) (uintptr, syscall.Errno) { return uintptr(n), e }

// only is a method's result that is an error alone.
func only(e syscall.Errno) (uintptr, syscall.Errno) { return 0, e }
