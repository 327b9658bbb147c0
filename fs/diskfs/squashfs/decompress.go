package squashfs

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"sync"

	"github.com/yolkos/yolk/fs/diskfs"
)

// decompressor makes dst of src, and returns how many bytes it is; it is an error if they
// have no room there.
type decompressor func(dst, src []byte) (int, error)

// Compressions by their numbers in the superblock.
var compressions = [...]string{1: "gzip", 2: "lzma", 3: "lzo", 4: "xz", 5: "lz4", 6: "zstd"}

// decompressorOf returns the one of a number. Those of libraries that have to be initialised are
// not among them: disks are mounted before that.
func decompressorOf(id uint16) (decompressor, error) {
	switch id {
	case 1:
		return unzlib, nil
	case 5:
		return unlz4, nil
	}
	name := fmt.Sprint("number ", id)
	if int(id) < len(compressions) && id > 0 {
		name = compressions[id]
	}
	return nil, &diskfs.Unsupported{Field: "superblock: compression", What: name + " is not supported; make it with mksquashfs -comp gzip or -comp lz4"}
}

func unlz4(dst, src []byte) (int, error) {
	n, used, err := diskfs.LZ4(dst, src)
	if err == nil && used < len(src) {
		err = fmt.Errorf("more than %d bytes", len(dst))
	}
	return n, err
}

// zlibReaders are io.ReadClosers of zlib, to be used again.
var zlibReaders sync.Pool

func unzlib(dst, src []byte) (n int, err error) {
	r, _ := zlibReaders.Get().(io.ReadCloser)
	if r == nil {
		r, err = zlib.NewReader(bytes.NewReader(src))
	} else {
		err = r.(zlib.Resetter).Reset(bytes.NewReader(src), nil)
	}
	if err != nil {
		return 0, err
	}
	defer zlibReaders.Put(r)
	return fill(dst, r)
}

// fill reads all that r has into dst.
func fill(dst []byte, r io.Reader) (n int, err error) {
	for n < len(dst) && err == nil {
		var m int
		m, err = r.Read(dst[n:])
		n += m
	}
	if err == nil {
		var more [1]byte
		var m int
		for m == 0 && err == nil {
			m, err = r.Read(more[:])
		}
		if m > 0 {
			return n, fmt.Errorf("more than %d bytes", len(dst))
		}
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}
