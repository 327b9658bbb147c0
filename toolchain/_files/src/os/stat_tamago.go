//go:build tamago

package os

import (
	"internal/filepathlite"
	"syscall"
	"time"
)

// fillFileStatFromSys sets the fields of fs from fs.sys and the file's name.
func fillFileStatFromSys(fs *fileStat, name string) {
	st := &fs.sys
	fs.name = filepathlite.Base(name)
	fs.size = st.Size
	fs.modTime = time.Unix(st.Mtim.Unix())
	fs.mode = FileMode(st.Mode & 0o777)
	if typ := fileType(st.Mode & syscall.S_IFMT >> 12); typ != ^FileMode(0) {
		fs.mode |= typ
	} else {
		fs.mode |= ModeIrregular
	}
	for _, bit := range [...]struct {
		unix uint32
		mode FileMode
	}{
		{syscall.S_ISUID, ModeSetuid},
		{syscall.S_ISGID, ModeSetgid},
		{syscall.S_ISVTX, ModeSticky},
	} {
		if st.Mode&bit.unix != 0 {
			fs.mode |= bit.mode
		}
	}
}

// fileType gives the type bits for one of the DT numbers, all of them for an
// unknown one.
func fileType(dt uint32) FileMode {
	switch dt {
	case syscall.DT_REG:
		return 0
	case syscall.DT_DIR:
		return ModeDir
	case syscall.DT_LNK:
		return ModeSymlink
	case syscall.DT_FIFO:
		return ModeNamedPipe
	case syscall.DT_SOCK:
		return ModeSocket
	case syscall.DT_CHR:
		return ModeDevice | ModeCharDevice
	case syscall.DT_BLK:
		return ModeDevice
	}
	return ^FileMode(0)
}

// atime is for the tests.
func atime(fi FileInfo) time.Time {
	return time.Unix(fi.Sys().(*syscall.Stat_t).Atim.Unix())
}
