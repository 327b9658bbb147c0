package zstd_test

import (
	"fmt"

	"github.com/yolkos/yolk/fs/diskfs/zstd"
)

// A frame with a block that is not compressed.
func ExampleDecode() {
	frame := "\x28\xb5\x2f\xfd" + "\x20\x05" + "\x29\x00\x00" + "hello"
	dst := make([]byte, 3)
	n, more, err := zstd.Decode(dst, []byte(frame))
	fmt.Printf("%q %v %v\n", dst[:n], more, err)
	// Output: "hel" true <nil>
}
