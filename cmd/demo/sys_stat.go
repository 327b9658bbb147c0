//go:build linux || tamago

package main

import (
	"io/fs"
	"syscall"
	"time"
)

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
