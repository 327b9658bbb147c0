package squashfs_test

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/yolkos/yolk/fs/diskfs"
	"github.com/yolkos/yolk/fs/diskfs/squashfs"
)

// A superblock of an older version.
func ExampleOpen() {
	b := make([]byte, 4096)
	binary.LittleEndian.PutUint32(b, 0x73717368) // s_magic
	b[28], b[30] = 3, 1                          // s_major, s_minor
	_, err := squashfs.Open(diskfs.Disk{R: bytes.NewReader(b), Size: int64(len(b))})
	fmt.Println(err)
	// Output: superblock: s_major, s_minor: version 3.1 is not supported, 4.0 is
}
