//go:build tamago

package sockets

import (
	"syscall"

	"github.com/yolkos/yolk/fs/unixsocket"
	_ "github.com/yolkos/yolk/kernel" // boots first
	"github.com/yolkos/yolk/syscalls"
)

func init() {
	syscalls.SocketCalls()
	k := syscalls.Bound()
	f := unixsocket.New(k)
	k.Families[syscall.AF_UNIX] = f
	k.NetworkFiles["unix"] = f.AppendTable
}
