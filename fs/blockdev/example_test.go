package blockdev_test

import (
	"encoding/binary"
	"fmt"

	"github.com/yolkos/yolk/fs/blockdev"
)

type memory []byte

func (m memory) ReadAt(p []byte, off int64) (int, error) { return copy(p, m[off:]), nil }

// A disk of 1 MiB whose MBR has one partition.
func ExamplePartitions() {
	disk := make(memory, 1<<20)
	entry := disk[446:462]
	entry[4] = 0x83 // Linux
	binary.LittleEndian.PutUint32(entry[8:], 64)
	binary.LittleEndian.PutUint32(entry[12:], 100)
	disk[510], disk[511] = 0x55, 0xaa

	list, err := blockdev.Partitions(disk, int64(len(disk)), 512)
	fmt.Println(list, err)
	// Output: [{1 32768 51200}] <nil>
}
