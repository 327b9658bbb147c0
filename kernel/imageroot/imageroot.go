// Package imageroot mounts the root that an image carries. yolk build adds it to the
// program if there is such a root; other images do not have it.
//
// It is called before its init functions run, and those of the packages that it
// imports beyond the kernel's: none of them has any.
package imageroot

import (
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/archive"
	"github.com/yolkos/yolk/fs/iofs"
	"github.com/yolkos/yolk/fs/overlay"
)

//go:linkname openImageRoot github.com/yolkos/yolk/kernel.openImageRoot
var openImageRoot = open

// magic is what statfs tells of the image's root: "yolk".
const magic = 0x6b6c6f79

// open makes the file system of an archive; with upper, one that takes changes, which go
// there. Note is told what is found wrong later.
func open(part []byte, upper func() fs.FileSystem, note func(error)) (fs.FileSystem, error) {
	a, err := archive.Open(part)
	if err != nil {
		return nil, err
	}
	f, err := iofs.New(a, iofs.Options{Type: "archive", Magic: magic, Bytes: a.Size(), Files: a.Files(), Note: note})
	if err != nil || upper == nil {
		return f, err
	}
	return overlay.New(f, upper())
}
