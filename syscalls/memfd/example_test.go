//go:build linux

package memfd_test

import (
	"fmt"

	"github.com/yolkos/yolk/syscalls/memfd"
)

// The same page at two addresses.
func Example() {
	m, err := memfd.New(1 << 20)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	p := m.Pages(1)
	p[0] = 42
	fmt.Println(len(p), p[0])
	// Output: 4096 42
}
