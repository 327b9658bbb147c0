package formats_test

import (
	"bytes"
	"fmt"

	"github.com/yolkos/yolk/fs/diskfs"
	"github.com/yolkos/yolk/fs/diskfs/formats"
)

// A disk of zeros has no file system.
func ExampleOpen() {
	b := make([]byte, 4096)
	_, err := formats.Open(formats.Auto, diskfs.Disk{R: bytes.NewReader(b), Size: int64(len(b))}, "", func(error) {})
	fmt.Println(err)
	// Output: no file system of ext4, squashfs, erofs, ext2, ext3: invalid argument
}
