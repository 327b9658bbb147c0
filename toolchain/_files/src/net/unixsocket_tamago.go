//go:build tamago

package net

import (
	"os"
	"syscall"
)

// makeSocketFile makes the file that stands for a Unix socket with a name, as
// binding does elsewhere. A file system that has no such files does not keep
// the socket from working.
func makeSocketFile(laddr sockaddr) error {
	a, ok := laddr.(*UnixAddr)
	if !ok || a == nil || a.Name == "" || a.Name[0] == '@' {
		return nil
	}
	switch syscall.Mknod(a.Name, syscall.S_IFSOCK|0o777, 0) {
	case nil:
		sockets.Delete(fakeAddr(a)) // one whose file is gone cannot be reached any more
	case syscall.EEXIST:
		return os.NewSyscallError("bind", syscall.EADDRINUSE)
	}
	return nil
}
