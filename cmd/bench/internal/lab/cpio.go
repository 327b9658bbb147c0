package lab

import (
	"bytes"
	"fmt"
)

// archive is an initial file system in the making, in the "newc" format that
// the kernel's Documentation/driver-api/early-userspace/buffer-format.rst
// describes.
type archive struct{ bytes.Buffer }

// Types and permissions of entries, as in st_mode.
const (
	modeDir  = 0o040755
	modeFile = 0o100755
)

// add appends an entry. Directories come before what is in them.
func (a *archive) add(name string, mode int, data []byte) {
	const magic, links = "070701", 1
	fmt.Fprintf(a, "%s%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		magic, 0, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
	a.WriteString(name)
	a.WriteByte(0)
	a.pad()
	a.Write(data)
	a.pad()
}

// end closes the archive.
func (a *archive) end() []byte {
	a.add("TRAILER!!!", 0, nil)
	return a.Bytes()
}

// pad fills up to a multiple of 4 bytes.
func (a *archive) pad() {
	for a.Len()%4 != 0 {
		a.WriteByte(0)
	}
}
