//go:build tamago

package unix

import "syscall"

func Getxattr(path string, attr string, dest []byte) (sz int, err error) {
	return syscall.Getxattr(path, attr, dest)
}

func Lgetxattr(path string, attr string, dest []byte) (sz int, err error) {
	return syscall.Lgetxattr(path, attr, dest)
}

func Fgetxattr(fd int, attr string, dest []byte) (sz int, err error) {
	return syscall.Fgetxattr(fd, attr, dest)
}

func Setxattr(path string, attr string, data []byte, flags int) error {
	return syscall.Setxattr(path, attr, data, flags)
}

func Lsetxattr(path string, attr string, data []byte, flags int) error {
	return syscall.Lsetxattr(path, attr, data, flags)
}

func Fsetxattr(fd int, attr string, data []byte, flags int) error {
	return syscall.Fsetxattr(fd, attr, data, flags)
}

func Listxattr(path string, dest []byte) (sz int, err error)  { return syscall.Listxattr(path, dest) }
func Llistxattr(path string, dest []byte) (sz int, err error) { return syscall.Llistxattr(path, dest) }
func Flistxattr(fd int, dest []byte) (sz int, err error)      { return syscall.Flistxattr(fd, dest) }
func Removexattr(path string, attr string) error              { return syscall.Removexattr(path, attr) }
func Lremovexattr(path string, attr string) error             { return syscall.Lremovexattr(path, attr) }
func Fremovexattr(fd int, attr string) error                  { return syscall.Fremovexattr(fd, attr) }
