// Package diskfs has the kernel mount file systems that are on disks. yolk build adds it to
// the program if one is to be mounted; other images do not have it.
package diskfs

import (
	"io"
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/diskfs"
	"github.com/yolkos/yolk/fs/diskfs/formats"
	"github.com/yolkos/yolk/fs/overlay"
)

//go:linkname openDisk github.com/yolkos/yolk/kernel.openDisk
var openDisk = open

// open makes a file system of a type of formats.Open of a disk of size bytes; with upper, one that
// takes changes, which go there.
func open(fstype string, r io.ReaderAt, size int64, options string, upper func() fs.FileSystem, note func(error)) (fs.FileSystem, error) {
	f, err := formats.Open(fstype, diskfs.Disk{R: r, Size: size}, options, note)
	if err != nil || upper == nil {
		return f, err
	}
	return overlay.New(f, upper())
}
