//go:build linux || tamago

package main

import (
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// nobodyReads tells that a file is a pipe or a socket whose other end is closed.
func nobodyReads(f *os.File) bool {
	c, err := f.SyscallConn()
	if err != nil {
		return false
	}
	broken := false
	c.Control(func(fd uintptr) {
		poll := []unix.PollFd{{Fd: int32(fd)}}
		n, err := unix.Poll(poll, 0)
		broken = err == nil && n == 1 && poll[0].Revents&unix.POLLERR != 0
	})
	return broken
}

func details(info fs.FileInfo) fileDetails {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileDetails{}
	}
	return fileDetails{
		known: true,
		ino:   st.Ino, nlink: uint64(st.Nlink),
		uid: st.Uid, gid: st.Gid,
		dev: st.Dev, rdev: st.Rdev,
		blocks: st.Blocks, blksize: int64(st.Blksize),
		accessed: time.Unix(st.Atim.Unix()),
		changed:  time.Unix(st.Ctim.Unix()),
	}
}

// room asks how much room there is on the file system that path is on.
func room(path string) (fileSystem, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		return fileSystem{}, &fs.PathError{Op: "statfs", Path: path, Err: err}
	}
	unit := uint64(st.Frsize)
	if unit == 0 {
		unit = uint64(st.Bsize)
	}
	return fileSystem{
		size: st.Blocks * unit, free: st.Bfree * unit, avail: st.Bavail * unit,
		files: st.Files, freeFiles: st.Ffree,
	}, nil
}
