//go:build tamago

package os

import (
	"syscall"
	"unsafe"
)

func direntIno(buf []byte) (uint64, bool) {
	return readInt(buf, unsafe.Offsetof(syscall.Dirent{}.Ino), unsafe.Sizeof(syscall.Dirent{}.Ino))
}

func direntReclen(buf []byte) (uint64, bool) {
	return readInt(buf, unsafe.Offsetof(syscall.Dirent{}.Reclen), unsafe.Sizeof(syscall.Dirent{}.Reclen))
}

// direntNamlen gives the room for the name, padding included.
func direntNamlen(buf []byte) (uint64, bool) {
	const header = uint64(unsafe.Offsetof(syscall.Dirent{}.Name))
	reclen, ok := direntReclen(buf)
	if !ok || reclen < header {
		return 0, false
	}
	return reclen - header, true
}

func direntType(buf []byte) FileMode {
	dt, ok := readInt(buf, unsafe.Offsetof(syscall.Dirent{}.Type), unsafe.Sizeof(syscall.Dirent{}.Type))
	if !ok {
		return ^FileMode(0)
	}
	return fileType(uint32(dt))
}
