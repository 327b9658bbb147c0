//go:build tamago

package unix

import (
	"syscall"
	_ "unsafe" // for go:linkname
)

// What package syscall lends to others without exporting it.

//go:linkname fcntl syscall.fcntl
func fcntl(fd, cmd, arg int) (int, error)

//go:linkname fstatat syscall.fstatat
func fstatat(dirfd int, path string, stat *syscall.Stat_t, flags int) error

//go:linkname renameat2 syscall.renameat2
func renameat2(olddirfd int, oldpath string, newdirfd int, newpath string, flags uint32) error

//go:linkname readlinkat syscall.readlinkat
func readlinkat(dirfd int, path string, buf []byte) (n int, err error)

//go:linkname unlinkat syscall.unlinkat
func unlinkat(dirfd int, path string, flags int) error

//go:linkname linkat syscall.linkat
func linkat(olddirfd int, oldpath string, newdirfd int, newpath string, flags int) error

//go:linkname symlinkat syscall.symlinkat
func symlinkat(target string, dirfd int, path string) error

//go:linkname utimensat syscall.utimensat
func utimensat(dirfd int, path string, times *[2]syscall.Timespec, flags int) error

//go:linkname copyFileRange syscall.copyFileRange
func copyFileRange(rfd int, roff *int64, wfd int, woff *int64, n int, flags int) (copied int, err error)

//go:linkname ioctl syscall.ioctl
func ioctl(fd int, req uint32, arg uint64, data []byte) (val int, err error)

//go:linkname poll syscall.poll
func poll(fds []int32, events, revents []int16, ns int64) (n int, err error)

//go:linkname statx syscall.statx
func statx(dirfd int, path string, flags int, mask uint32, stx []byte) error

// nanotime is the monotonic clock, in nanoseconds.
//
//go:linkname nanotime runtime.nanotime
func nanotime() int64
