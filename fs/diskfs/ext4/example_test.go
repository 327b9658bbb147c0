package ext4_test

import (
	"bytes"
	"fmt"

	"github.com/yolkos/yolk/fs/diskfs"
	"github.com/yolkos/yolk/fs/diskfs/ext4"
)

// A superblock whose blocks would be of 128 KiB.
func ExampleOpen() {
	b := make([]byte, 4096)
	b[1024+56], b[1024+57] = 0x53, 0xef // s_magic
	b[1024+24] = 7                      // s_log_block_size
	_, err := ext4.Open(diskfs.Disk{R: bytes.NewReader(b), Size: int64(len(b))}, false)
	fmt.Println(err)
	// Output: superblock: s_log_block_size is 7 (0x7), want at most 6
}
