package squashfs

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs/diskfs"
	"github.com/yolkos/yolk/fs/diskfs/lzma"
	"github.com/yolkos/yolk/fs/diskfs/zstd"
)

// decompressor makes dst of src, and returns how many bytes it is. More: they have no room there.
type decompressor func(dst, src []byte) (n int, more bool, err error)

// Compressions by their numbers in the superblock.
var compressions = [...]string{1: "gzip", 2: "lzma", 3: "lzo", 4: "xz", 5: "lz4", 6: "zstd"}

// decompressorOf returns the one of a number.
func decompressorOf(id uint16) (decompressor, error) {
	switch id {
	case 1:
		return unzlib, nil
	case 2:
		return lzma.Alone, nil
	case 4:
		return lzma.XZ, nil
	case 5:
		return unlz4, nil
	case 6:
		return zstd.Decode, nil
	}
	name := fmt.Sprint("number ", id)
	if int(id) < len(compressions) && id > 0 {
		name = compressions[id]
	}
	return nil, &diskfs.Unsupported{Field: "superblock: compression", What: name + " is not supported; make it with mksquashfs -comp zstd, xz, gzip or lz4"}
}

// unpacked makes at most size bytes of src, which field of a table has told of.
func (f *FS) unpacked(src []byte, size, room uint64, table, field string) ([]byte, error) {
	out := make([]byte, size, room)
	n, more, err := f.unpack(out, src)
	if err == nil && more {
		err = fmt.Errorf("more than %d bytes", size)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w: %w", table, field, err, syscall.EUCLEAN)
	}
	return out[:n], nil
}

func unlz4(dst, src []byte) (int, bool, error) {
	n, used, err := diskfs.LZ4(dst, src)
	return n, err == nil && used < len(src), err
}

// zlibReaders are io.ReadClosers of zlib, to be used again.
var zlibReaders sync.Pool

func unzlib(dst, src []byte) (n int, more bool, err error) {
	r, _ := zlibReaders.Get().(io.ReadCloser)
	if r == nil {
		r, err = zlib.NewReader(bytes.NewReader(src))
	} else {
		err = r.(zlib.Resetter).Reset(bytes.NewReader(src), nil)
	}
	if err != nil {
		return 0, false, err
	}
	defer zlibReaders.Put(r)
	return diskfs.Fill(dst, r)
}
