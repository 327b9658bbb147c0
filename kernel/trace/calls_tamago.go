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
type calls struct{ k *syscalls.Kernel }

// Numbers of what is no system call.
const (
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
	{numWait, "wait"}, {numInterrupt, "interrupt"}, {numSetDeadline, "set_deadline"}, {noNumber, "?"},
}

// lookCrowded has what is in the rings sent when they fill.
func lookCrowded() {
	if ring.Crowded.Load() {
		tr.crowded()
	}
}

func (c calls) Call(num, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, syscall.Errno) {
	if !tr.has(wire.Call) {
		return c.k.Call(num, a1, a2, a3, a4, a5, a6)
	}
	op := uint16(min(num, noNumber))
	tr.names[wire.CallNames].want(op)
	var room [wire.MaxName]byte
	n := 0
	if num < uintptr(len(pathArgs)) && pathArgs[num] != 0 {
		words := [...]uintptr{a1, a2, a3, a4}
		first, second := pathArgs[num]&15, pathArgs[num]>>4
		n = syscalls.PeekText(room[:], words[first-1])
		if second != 0 && n < len(room) {
			room[n] = 0
			n++
			n += syscalls.PeekText(room[n:], words[second-1])
		}
	}
	ring.NoteBytes(wire.Word(wire.Call, wire.ByNumber, op, 0), uint64(a1), uint64(a2), uint64(a3), room[:n])
	r, e := c.k.Call(num, a1, a2, a3, a4, a5, a6)
	ring.NoteEnd(wire.Word(wire.Call, wire.ByNumber|wire.End, op, uint16(e)), uint64(r))
	lookCrowded()
	return r, e
}

func (c calls) Openat(dirfd int, path string, flags int, mode uint32) (int, syscall.Errno) {
	if !tr.has(wire.Call) {
		return c.k.Openat(dirfd, path, flags, mode)
	}
	ring.NoteName(callOpenat, uint64(dirfd), uint64(flags), uint64(mode), path)
	fd, e := c.k.Openat(dirfd, path, flags, mode)
	ring.NoteEnd(callOpenat|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, uint64(fd))
	lookCrowded()
	return fd, e
}

func (c calls) Close(fd int) syscall.Errno {
	if !tr.has(wire.Call) {
		return c.k.Close(fd)
	}
	ring.Note(callClose, uint64(fd), 0, 0)
	e := c.k.Close(fd)
	ring.NoteEnd(callClose|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, 0)
	lookCrowded()
	return e
}

func (c calls) Fstat(fd int, st *syscall.Stat_t) syscall.Errno {
	if !tr.has(wire.Call) {
		return c.k.Fstat(fd, st)
	}
	ring.Note(callFstat, uint64(fd), 0, 0)
	e := c.k.Fstat(fd, st)
	ring.NoteEnd(callFstat|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, 0)
	lookCrowded()
	return e
}

func (c calls) Fstatat(dirfd int, path string, st *syscall.Stat_t, flags int) syscall.Errno {
	if !tr.has(wire.Call) {
		return c.k.Fstatat(dirfd, path, st, flags)
	}
	ring.NoteName(callFstatat, uint64(dirfd), uint64(flags), 0, path)
	e := c.k.Fstatat(dirfd, path, st, flags)
	ring.NoteEnd(callFstatat|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, 0)
	lookCrowded()
	return e
}

func (c calls) Read(fd int, p []byte) (int, syscall.Errno) {
	if !tr.has(wire.Call) {
		return c.k.Read(fd, p)
	}
	ring.Note(callRead, uint64(fd), uint64(len(p)), 0)
	n, e := c.k.Read(fd, p)
	ring.NoteEnd(callRead|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, uint64(n))
	lookCrowded()
	return n, e
}

func (c calls) Write(fd int, p []byte) (int, syscall.Errno) {
	if !tr.has(wire.Call) {
		return c.k.Write(fd, p)
	}
	ring.Note(callWrite, uint64(fd), uint64(len(p)), 0)
	n, e := c.k.Write(fd, p)
	ring.NoteEnd(callWrite|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, uint64(n))
	lookCrowded()
	return n, e
}

func (c calls) Pread(fd int, p []byte, off int64) (int, syscall.Errno) {
	if !tr.has(wire.Call) {
		return c.k.Pread(fd, p, off)
	}
	ring.Note(callPread, uint64(fd), uint64(len(p)), uint64(off))
	n, e := c.k.Pread(fd, p, off)
	ring.NoteEnd(callPread|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, uint64(n))
	lookCrowded()
	return n, e
}

func (c calls) Pwrite(fd int, p []byte, off int64) (int, syscall.Errno) {
	if !tr.has(wire.Call) {
		return c.k.Pwrite(fd, p, off)
	}
	ring.Note(callPwrite, uint64(fd), uint64(len(p)), uint64(off))
	n, e := c.k.Pwrite(fd, p, off)
	ring.NoteEnd(callPwrite|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, uint64(n))
	lookCrowded()
	return n, e
}

func (c calls) Seek(fd int, off int64, whence int) (int64, syscall.Errno) {
	if !tr.has(wire.Call) {
		return c.k.Seek(fd, off, whence)
	}
	ring.Note(callSeek, uint64(fd), uint64(off), uint64(whence))
	pos, e := c.k.Seek(fd, off, whence)
	ring.NoteEnd(callSeek|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, uint64(pos))
	lookCrowded()
	return pos, e
}

func (c calls) ReadDirent(fd int, buf []byte) (int, syscall.Errno) {
	if !tr.has(wire.Call) {
		return c.k.ReadDirent(fd, buf)
	}
	ring.Note(callReadDirent, uint64(fd), uint64(len(buf)), 0)
	n, e := c.k.ReadDirent(fd, buf)
	ring.NoteEnd(callReadDirent|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, uint64(n))
	lookCrowded()
	return n, e
}

func (c calls) Wait(fd int, mode int) syscall.Errno {
	if !tr.has(wire.Call) {
		return c.k.Wait(fd, mode)
	}
	ring.Note(callWait, uint64(fd), uint64(mode), 0)
	e := c.k.Wait(fd, mode)
	ring.NoteEnd(callWait|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, 0)
	lookCrowded()
	return e
}

func (c calls) Interrupt(fd int) syscall.Errno {
	if !tr.has(wire.Call) {
		return c.k.Interrupt(fd)
	}
	ring.Note(callInterrupt, uint64(fd), 0, 0)
	e := c.k.Interrupt(fd)
	ring.NoteEnd(callInterrupt|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, 0)
	lookCrowded()
	return e
}

func (c calls) SetDeadline(fd int, mode int, ns int64) syscall.Errno {
	if !tr.has(wire.Call) {
		return c.k.SetDeadline(fd, mode, ns)
	}
	ring.Note(callSetDeadline, uint64(fd), uint64(mode), uint64(ns))
	e := c.k.SetDeadline(fd, mode, ns)
	ring.NoteEnd(callSetDeadline|wire.EndOfCall|uint64(e)<<wire.ErrnoShift, 0)
	lookCrowded()
	return e
}
