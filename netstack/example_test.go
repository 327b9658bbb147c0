package netstack_test

import (
	"fmt"

	"github.com/yolkos/yolk/netstack"
)

// A stack has a loopback interface before any other.
func Example() {
	s, err := netstack.New(netstack.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Destroy()
	for _, i := range s.Interfaces() {
		fmt.Println(i.Name, i.Addresses)
	}
	// Output: lo [127.0.0.1/8 ::1/128]
}
