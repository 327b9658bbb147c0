//go:build tamago

// Package unix is golang.org/x/sys/unix for programs that run in a guest: the
// calls, types and numbers that package syscall of this target has, with the
// names and signatures of Linux on amd64.
//
// It covers what programs for any Unix ask for: files, maps of files, locks,
// attributes, identity and clocks. What no guest can do, such as sockets as
// descriptors, system calls by number and control of terminals, is there where
// portable code refers to it, and fails as on a Linux that lacks it. What only
// code for Linux uses (epoll, inotify, namespaces, netlink…) is not there.
package unix

import (
	"bytes"
	"syscall"
	"unsafe"
)

// The types that programs may hand to package syscall as well.
type (
	Errno       = syscall.Errno
	Signal      = syscall.Signal
	SysProcAttr = syscall.SysProcAttr
	WaitStatus  = syscall.WaitStatus
	Rusage      = syscall.Rusage
	Rlimit      = syscall.Rlimit
)

// Descriptors that are open from the start.
var (
	Stdin  = syscall.Stdin
	Stdout = syscall.Stdout
	Stderr = syscall.Stderr
)

// Sizes of C types, in bytes.
const (
	SizeofPtr      = 8
	SizeofShort    = 2
	SizeofInt      = 4
	SizeofLong     = 8
	SizeofLongLong = 8
)

func Getpagesize() int { return syscall.Getpagesize() }

func ByteSliceFromString(s string) ([]byte, error) { return syscall.ByteSliceFromString(s) }
func BytePtrFromString(s string) (*byte, error)    { return syscall.BytePtrFromString(s) }

// ByteSliceToString returns what stands before the first NUL, or all.
func ByteSliceToString(s []byte) string {
	text, _, _ := bytes.Cut(s, []byte{0})
	return string(text)
}

// BytePtrToString returns what stands before the NUL that must follow; "" for
// nil.
func BytePtrToString(p *byte) string {
	if p == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(p), n)) != 0 {
		n++
	}
	return string(unsafe.Slice(p, n))
}

func Getenv(key string) (value string, found bool) { return syscall.Getenv(key) }
func Setenv(key, value string) error               { return syscall.Setenv(key, value) }
func Unsetenv(key string) error                    { return syscall.Unsetenv(key) }
func Clearenv()                                    { syscall.Clearenv() }
func Environ() []string                            { return syscall.Environ() }

// System calls by number do not exist: ENOSYS.

func Syscall(trap, a1, a2, a3 uintptr) (r1, r2 uintptr, err syscall.Errno) {
	return syscall.Syscall(trap, a1, a2, a3)
}

func Syscall6(trap, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2 uintptr, err syscall.Errno) {
	return syscall.Syscall6(trap, a1, a2, a3, a4, a5, a6)
}

func RawSyscall(trap, a1, a2, a3 uintptr) (r1, r2 uintptr, err syscall.Errno) {
	return syscall.RawSyscall(trap, a1, a2, a3)
}

func RawSyscall6(trap, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2 uintptr, err syscall.Errno) {
	return syscall.RawSyscall6(trap, a1, a2, a3, a4, a5, a6)
}
