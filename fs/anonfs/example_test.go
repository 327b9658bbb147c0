package anonfs_test

import (
	"encoding/binary"
	"fmt"

	"github.com/yolkos/yolk/fs/anonfs"
)

func ExampleEventfd() {
	e := anonfs.NewEventfd(1, false)
	e.Write(binary.NativeEndian.AppendUint64(nil, 41))
	p := make([]byte, 8)
	n, err := e.Read(p)
	fmt.Println(binary.NativeEndian.Uint64(p[:n]), err)
	// Output: 42 <nil>
}
