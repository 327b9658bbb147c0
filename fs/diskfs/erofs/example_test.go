package erofs_test

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/yolkos/yolk/fs/diskfs"
	"github.com/yolkos/yolk/fs/diskfs/erofs"
)

// A superblock that needs a feature that is not there.
func ExampleOpen() {
	b := make([]byte, 4096)
	binary.LittleEndian.PutUint32(b[1024:], 0xe0f5e1e2) // magic
	b[1024+12], b[1024+80] = 12, 0x80                   // blkszbits, feature_incompat
	_, err := erofs.Open(diskfs.Disk{R: bytes.NewReader(b), Size: int64(len(b))})
	fmt.Println(err)
	// Output: superblock: feature_incompat: the feature 48bit is not supported; make the file system without it (mkfs.erofs -E)
}
