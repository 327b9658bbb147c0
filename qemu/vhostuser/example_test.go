package vhostuser_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/yolkos/yolk/qemu/vhostuser"
)

// silent is a Handler that answers nothing.
type silent struct{}

func (silent) Handle(in, out [][]byte, detach func()) int { return 0 }
func (silent) Cancel()                                    {}

// What QEMU asks first: the features of the device.
func ExampleDevice_Serve() {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	var conns [2]*net.UnixConn
	for i, fd := range pair {
		f := os.NewFile(uintptr(fd), "socket")
		c, err := net.FileConn(f)
		f.Close()
		if err != nil {
			fmt.Println(err)
			return
		}
		conns[i] = c.(*net.UnixConn)
	}
	ended := make(chan error, 1)
	go func() { ended <- vhostuser.New(2, silent{}, func(string, ...any) {}).Serve(conns[0]) }()

	const getFeatures, version1 = 1, 1 << 32
	conns[1].Write([]byte{getFeatures, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0})
	reply := make([]byte, 20)
	_, err = io.ReadFull(conns[1], reply)
	fmt.Println(binary.LittleEndian.Uint64(reply[12:])&version1 != 0, err)
	conns[1].Close()
	<-ended
	// Output: true <nil>
}
