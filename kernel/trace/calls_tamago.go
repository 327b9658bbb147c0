//go:build tamago

package trace

import (
	"syscall"

	"github.com/yolkos/yolk/kernel/trace/ring"
	"github.com/yolkos/yolk/kernel/trace/wire"
	"github.com/yolkos/yolk/syscalls"
)

// calls stands between package syscall and the kernel. What is called by a method has
// the number of the call that it is on Linux, or one of those behind.
type calls struct{}

// under is the kernel. It is no field: that would have to be kept over what is noted.
var under *syscalls.Kernel

// Numbers that package syscall does not have, and of what is no system call.
const (
	numRenameat2 = 316

	numWait        = 500
	numInterrupt   = 501
	numSetDeadline = 502
	noNumber       = 511 // stands for all that are larger
)

// The words of the methods. They are constants and written out in each method, without a function
// around them: what is called a million times a second is to be cheap.
const (
	callOpenat      = syscall.SYS_OPENAT << wire.OpShift
	callClose       = syscall.SYS_CLOSE << wire.OpShift
	callFstat       = syscall.SYS_FSTAT << wire.OpShift
	callFstatat     = syscall.SYS_NEWFSTATAT << wire.OpShift
	callRead        = syscall.SYS_READ << wire.OpShift
	callWrite       = syscall.SYS_WRITE << wire.OpShift
	callPread       = syscall.SYS_PREAD64 << wire.OpShift
	callPwrite      = syscall.SYS_PWRITE64 << wire.OpShift
	callSeek        = syscall.SYS_LSEEK << wire.OpShift
	callReadDirent  = syscall.SYS_GETDENTS64 << wire.OpShift
	callMkdirat     = syscall.SYS_MKDIRAT << wire.OpShift
	callUnlinkat    = syscall.SYS_UNLINKAT << wire.OpShift
	callRenameat2   = numRenameat2 << wire.OpShift
	callGetcwd      = syscall.SYS_GETCWD << wire.OpShift
	callWait        = numWait << wire.OpShift
	callInterrupt   = numInterrupt << wire.OpShift
	callSetDeadline = numSetDeadline << wire.OpShift
)

// hotCalls are the names of the methods: an image without calls by number does not have them.
var hotCalls = [...]struct {
	num  uint16
	name string
}{
	{syscall.SYS_OPENAT, "openat"}, {syscall.SYS_CLOSE, "close"}, {syscall.SYS_FSTAT, "fstat"}, {syscall.SYS_NEWFSTATAT, "newfstatat"},
	{syscall.SYS_READ, "read"}, {syscall.SYS_WRITE, "write"}, {syscall.SYS_PREAD64, "pread64"}, {syscall.SYS_PWRITE64, "pwrite64"},
	{syscall.SYS_LSEEK, "lseek"}, {syscall.SYS_GETDENTS64, "getdents64"},
	{syscall.SYS_MKDIRAT, "mkdirat"}, {syscall.SYS_UNLINKAT, "unlinkat"}, {numRenameat2, "renameat2"}, {syscall.SYS_GETCWD, "getcwd"},
	{numWait, "wait"}, {numInterrupt, "interrupt"}, {numSetDeadline, "set_deadline"}, {noNumber, "?"},
}

// traced reports whether calls are traced. What is in the rings it has sent when they fill.
func traced() bool {
	return ring.State.Load()&(1<<wire.Call|ring.Crowded) == 1<<wire.Call || tracedCrowded()
}

//go:noinline
func tracedCrowded() bool {
	if ring.State.Load()&ring.Crowded != 0 {
		tr.crowded()
	}
	return tr.has(wire.Call)
}

func (*calls) Call(num, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, syscall.Errno) {
	if !traced() {
		return under.Call(num, a1, a2, a3, a4, a5, a6)
	}
	op := uint16(min(num, noNumber))
	tr.names[wire.CallNames].want(op)
	if word := wire.Word(wire.Call, wire.ByNumber, op, 0); num < uintptr(len(pathArgs)) && pathArgs[num] != 0 {
		notePaths(word, pathArgs[num], a1, a2, a3, a4)
	} else {
		ring.Note(word, uint64(a1), uint64(a2), uint64(a3))
	}
	r, e := under.Call(num, a1, a2, a3, a4, a5, a6)
	ring.NoteOne(wire.Word(wire.Call, wire.ByNumber|wire.End|wire.One, op, uint16(e)), uint64(r))
	return r, e
}

// notePaths notes the beginning of a call with paths, which are among its first four arguments. It is a function of its own,
// as others need no room for them.
//
//go:noinline
func notePaths(word uint64, paths uint8, a1, a2, a3, a4 uintptr) {
	var room [wire.MaxName]byte
	words := [...]uintptr{a1, a2, a3, a4}
	n := syscalls.PeekText(room[:], words[paths&15-1])
	if second := paths >> 4; second != 0 && n < len(room) {
		room[n] = 0
		n++
		n += syscalls.PeekText(room[n:], words[second-1])
	}
	ring.NoteBytes(word, uint64(a1), uint64(a2), uint64(a3), room[:n])
}

// noteTwo notes the beginning of a call of two paths, as notePaths does.
//
//go:noinline
func noteTwo(word, a, b, c uint64, first, second string) {
	var room [wire.MaxName]byte
	n := copy(room[:], first)
	if n < len(room) {
		room[n] = 0
		n++
		n += copy(room[n:], second)
	}
	ring.NoteBytes(word, a, b, c, room[:n])
}

func (*calls) Openat(dirfd int, path string, flags int, mode uint32) (int, syscall.Errno) {
	if !traced() {
		return under.Openat(dirfd, path, flags, mode)
	}
	ring.NoteName(callOpenat, uint64(dirfd), uint64(flags), uint64(mode), path)
	fd, e := under.Openat(dirfd, path, flags, mode)
	ring.NoteOne(callOpenat|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, uint64(fd))
	return fd, e
}

func (*calls) Close(fd int) syscall.Errno {
	if !traced() {
		return under.Close(fd)
	}
	ring.NoteOne(callClose|wire.OneNumber, uint64(fd))
	e := under.Close(fd)
	ring.NoteOne(callClose|wire.EndOfError, uint64(e))
	return e
}

//go:nosplit
func (*calls) Fstat(fd int, st *syscall.Stat_t) syscall.Errno {
	if !traced() {
		return under.Fstat(fd, st)
	}
	ring.NoteOne(callFstat|wire.OneNumber, uint64(fd))
	e := under.Fstat(fd, st)
	ring.NoteOne(callFstat|wire.EndOfError, uint64(e))
	return e
}

func (*calls) Fstatat(dirfd int, path string, st *syscall.Stat_t, flags int) syscall.Errno {
	if !traced() {
		return under.Fstatat(dirfd, path, st, flags)
	}
	ring.NoteName(callFstatat, uint64(dirfd), uint64(flags), 0, path)
	e := under.Fstatat(dirfd, path, st, flags)
	ring.NoteOne(callFstatat|wire.EndOfError, uint64(e))
	return e
}

func (*calls) Read(fd int, p []byte) (int, syscall.Errno) {
	if !traced() {
		return under.Read(fd, p)
	}
	ring.Note(callRead, uint64(fd), uint64(len(p)), 0)
	n, e := under.Read(fd, p)
	ring.NoteOne(callRead|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, uint64(n))
	return n, e
}

func (*calls) Write(fd int, p []byte) (int, syscall.Errno) {
	if !traced() {
		return under.Write(fd, p)
	}
	ring.Note(callWrite, uint64(fd), uint64(len(p)), 0)
	n, e := under.Write(fd, p)
	ring.NoteOne(callWrite|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, uint64(n))
	return n, e
}

func (*calls) Pread(fd int, p []byte, off int64) (int, syscall.Errno) {
	if !traced() {
		return under.Pread(fd, p, off)
	}
	ring.Note(callPread, uint64(fd), uint64(len(p)), uint64(off))
	n, e := under.Pread(fd, p, off)
	ring.NoteOne(callPread|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, uint64(n))
	return n, e
}

func (*calls) Pwrite(fd int, p []byte, off int64) (int, syscall.Errno) {
	if !traced() {
		return under.Pwrite(fd, p, off)
	}
	ring.Note(callPwrite, uint64(fd), uint64(len(p)), uint64(off))
	n, e := under.Pwrite(fd, p, off)
	ring.NoteOne(callPwrite|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, uint64(n))
	return n, e
}

func (*calls) Seek(fd int, off int64, whence int) (int64, syscall.Errno) {
	if !traced() {
		return under.Seek(fd, off, whence)
	}
	ring.Note(callSeek, uint64(fd), uint64(off), uint64(whence))
	pos, e := under.Seek(fd, off, whence)
	ring.NoteOne(callSeek|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, uint64(pos))
	return pos, e
}

func (*calls) ReadDirent(fd int, buf []byte) (int, syscall.Errno) {
	if !traced() {
		return under.ReadDirent(fd, buf)
	}
	ring.Note(callReadDirent, uint64(fd), uint64(len(buf)), 0)
	n, e := under.ReadDirent(fd, buf)
	ring.NoteOne(callReadDirent|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, uint64(n))
	return n, e
}

func (*calls) Mkdirat(dirfd int, path string, mode uint32) syscall.Errno {
	if !traced() {
		return under.Mkdirat(dirfd, path, mode)
	}
	ring.NoteName(callMkdirat, uint64(dirfd), uint64(mode), 0, path)
	e := under.Mkdirat(dirfd, path, mode)
	ring.NoteOne(callMkdirat|wire.EndOfError, uint64(e))
	return e
}

func (*calls) Unlinkat(dirfd int, path string, flags int) syscall.Errno {
	if !traced() {
		return under.Unlinkat(dirfd, path, flags)
	}
	ring.NoteName(callUnlinkat, uint64(dirfd), uint64(flags), 0, path)
	e := under.Unlinkat(dirfd, path, flags)
	ring.NoteOne(callUnlinkat|wire.EndOfError, uint64(e))
	return e
}

func (*calls) Renameat2(odirfd int, opath string, ndirfd int, npath string, flags uint32) syscall.Errno {
	if !traced() {
		return under.Renameat2(odirfd, opath, ndirfd, npath, flags)
	}
	noteTwo(callRenameat2, uint64(odirfd), uint64(ndirfd), uint64(flags), opath, npath)
	e := under.Renameat2(odirfd, opath, ndirfd, npath, flags)
	ring.NoteOne(callRenameat2|wire.EndOfError, uint64(e))
	return e
}

func (*calls) Getcwd() (string, syscall.Errno) {
	if !traced() {
		return under.Getcwd()
	}
	ring.Note(callGetcwd, 0, 0, 0)
	dir, e := under.Getcwd()
	ring.NoteOne(callGetcwd|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, uint64(len(dir)))
	return dir, e
}

func (*calls) Wait(fd int, mode int) syscall.Errno {
	if !traced() {
		return under.Wait(fd, mode)
	}
	ring.Note(callWait, uint64(fd), uint64(mode), 0)
	e := under.Wait(fd, mode)
	ring.NoteOne(callWait|wire.EndOfError, uint64(e))
	return e
}

func (*calls) Interrupt(fd int) syscall.Errno {
	if !traced() {
		return under.Interrupt(fd)
	}
	ring.NoteOne(callInterrupt|wire.OneNumber, uint64(fd))
	e := under.Interrupt(fd)
	ring.NoteOne(callInterrupt|wire.EndOfError, uint64(e))
	return e
}

func (*calls) SetDeadline(fd int, mode int, ns int64) syscall.Errno {
	if !traced() {
		return under.SetDeadline(fd, mode, ns)
	}
	ring.Note(callSetDeadline, uint64(fd), uint64(mode), uint64(ns))
	e := under.SetDeadline(fd, mode, ns)
	ring.NoteOne(callSetDeadline|wire.EndOfError, uint64(e))
	return e
}
