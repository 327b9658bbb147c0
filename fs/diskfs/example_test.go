package diskfs_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/fs/diskfs"
)

// What a disk says of itself is checked by its size.
func ExampleDisk_Read() {
	disk := diskfs.Disk{R: strings.NewReader("a small disk"), Size: 12}
	err := disk.Read(make([]byte, 4), 10, "superblock", "s_first_data_block")
	fmt.Println(err)
	fmt.Println(errors.Is(err, syscall.EUCLEAN))
	// Output:
	// superblock: s_first_data_block is 10 (0xa), want 4 bytes on the disk, which has 12
	// true
}
