package wire_test

import (
	"fmt"

	"github.com/yolkos/yolk/kernel/trace/wire"
)

func Example() {
	text := "openat"
	frame := wire.Header{Type: wire.FrameName, Size: uint32(len(text)), Value: wire.CallNames<<32 | 257}.AppendTo(nil)
	frame = append(frame, text...)
	h, err := wire.ParseHeader(frame)
	fmt.Println(h.Type == wire.FrameName, uint32(h.Value), string(frame[wire.HeaderSize:]), err)
	// Output: true 257 openat <nil>
}
