//go:build tamago

package unix

import "syscall"

func Fcntl(fd int, cmd int, arg int) (int, error) {
	val, _, e := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), uintptr(cmd), uintptr(arg))
	if e != 0 {
		return int(val), e
	}
	return int(val), nil
}
