//go:build tamago

package os

import (
	"internal/poll"
	"io"
)

var pollCopyFileRange = poll.CopyFileRange // for the tests

func (f *File) writeTo(w io.Writer) (written int64, handled bool, err error) {
	return 0, false, nil
}

// readFrom copies from another file without the data coming by here.
func (f *File) readFrom(r io.Reader) (written int64, handled bool, err error) {
	if f.appendMode {
		return 0, false, nil // copy_file_range does not append
	}
	limited, r, remain := tryLimitedReader(r)
	if remain <= 0 {
		return 0, true, nil
	}
	var src *File
	switch r := r.(type) {
	case *File:
		src = r
	case fileWithoutWriteTo:
		src = r.File
	}
	if src == nil {
		return 0, false, nil
	}
	written, handled, err = pollCopyFileRange(&f.pfd, &src.pfd, remain)
	if limited != nil {
		limited.N -= written
	}
	return written, handled, wrapSyscallError("copy_file_range", err)
}
