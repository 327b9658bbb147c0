package erofs

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"sync"

	"github.com/yolkos/yolk/fs/diskfs"
	"github.com/yolkos/yolk/fs/diskfs/lzma"
	"github.com/yolkos/yolk/fs/diskfs/zstd"
)

// decompressor fills dst from src. All: that takes all of src, as far as the algorithm tells.
type decompressor func(dst, src []byte, all bool) error

// algorithms are those of h_algorithmtype: Z_EROFS_COMPRESSION_LZ4 and so on.
var algorithms = [...]decompressor{unlz4, unlzma, inflate, unzstd}

func unlz4(dst, src []byte, all bool) error {
	n, used, err := diskfs.LZ4(dst, src)
	if err == nil && (n < len(dst) || all && used < len(src)) {
		err = fmt.Errorf("lz4: %d bytes of %d, from %d of %d", n, len(dst), used, len(src))
	}
	return err
}

func unlzma(dst, src []byte, _ bool) error { return lzma.Micro(dst, src) }

// flateReaders are io.ReadClosers of flate, to be used again.
var flateReaders sync.Pool

func inflate(dst, src []byte, all bool) error {
	r, _ := flateReaders.Get().(io.ReadCloser)
	if r == nil {
		r = flate.NewReader(bytes.NewReader(src))
	} else if err := r.(flate.Resetter).Reset(bytes.NewReader(src), nil); err != nil {
		return err
	}
	defer flateReaders.Put(r)
	n, more, err := diskfs.Fill(dst, r)
	return filled(len(dst), n, more && all, err)
}

func unzstd(dst, src []byte, all bool) error {
	n, more, err := zstd.Decode(dst, src)
	return filled(len(dst), n, more && all, err)
}

// filled judges how many bytes there are of those that are wanted.
func filled(want, n int, more bool, err error) error {
	switch {
	case err != nil:
		return err
	case n < want:
		return fmt.Errorf("%d bytes of %d", n, want)
	case more:
		return fmt.Errorf("more than %d bytes", want)
	}
	return nil
}
