package unixsocket_test

import (
	"fmt"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/socket"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/fs/unixsocket"
	"github.com/yolkos/yolk/syscalls"
)

// Two sockets that are connected: socketpair(2).
func Example() {
	a, b, err := unixsocket.New(syscalls.New(fs.New(tmpfs.New(tmpfs.Limits{}), fs.MountOptions{}))).Pair(syscall.SOCK_STREAM, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	f := socket.NewFile(a, &socket.Node{}, syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	g := socket.NewFile(b, &socket.Node{}, syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	f.Write([]byte("hello"))
	p := make([]byte, 64)
	n, err := g.Read(p)
	fmt.Printf("%s %v\n", p[:n], err)
	// Output: hello <nil>
}
