package stages_test

import (
	"fmt"
	"strings"

	"github.com/yolkos/yolk/qemu"
)

// What the kernel says of its boot becomes this on the host.
func Example() {
	boot := qemu.Boot{Hz: 1e9, Stages: []qemu.Stage{{Name: "arch/amd64: clock", At: 1e6}, {Name: "main", At: 40e6}}}
	for i, s := range boot.Stages[:len(boot.Stages)-1] {
		took := boot.Stages[i+1].At - s.At
		fmt.Println(strings.TrimPrefix(s.Name, "arch/"), took*1e3/boot.Hz, "ms")
	}
	// Output: amd64: clock 39 ms
}
