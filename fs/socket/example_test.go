package socket_test

import (
	"fmt"
	"syscall"

	"github.com/yolkos/yolk/fs/socket"
	"github.com/yolkos/yolk/netstack"
)

// An open file of a socket waits, which the socket below it does not.
func ExampleFile() {
	s, err := netstack.New(netstack.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Destroy()
	open := func() *socket.File {
		k, err := s.Family(syscall.AF_INET).Socket(syscall.SOCK_DGRAM, 0)
		if err != nil {
			fmt.Println(err)
		}
		return socket.NewFile(k, &socket.Node{}, syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	}
	a, b := open(), open()
	defer a.Release()
	defer b.Release()
	fmt.Println(b.Bind([]byte{syscall.AF_INET, 0, 0, 53, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}))
	fmt.Println(a.Connect([]byte{syscall.AF_INET, 0, 0, 53, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}))
	a.Write([]byte("hello"))
	p := make([]byte, 64)
	n, err := b.Read(p)
	fmt.Printf("%s %v\n", p[:n], err)
	// Output:
	// <nil>
	// <nil>
	// hello <nil>
}
