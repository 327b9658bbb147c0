//go:build tamago

package syscall

// Extended attributes. A dest of length 0 asks for the size.

func Getxattr(path, attr string, dest []byte) (sz int, err error) {
	return count(kernel.Getxattr(path, attr, dest, false))
}

func Lgetxattr(path, attr string, dest []byte) (sz int, err error) {
	return count(kernel.Getxattr(path, attr, dest, true))
}

func Fgetxattr(fd int, attr string, dest []byte) (sz int, err error) {
	return count(kernel.Fgetxattr(fd, attr, dest))
}

func Setxattr(path, attr string, data []byte, flags int) error {
	return errnoErr(kernel.Setxattr(path, attr, data, flags, false))
}

func Lsetxattr(path, attr string, data []byte, flags int) error {
	return errnoErr(kernel.Setxattr(path, attr, data, flags, true))
}

func Fsetxattr(fd int, attr string, data []byte, flags int) error {
	return errnoErr(kernel.Fsetxattr(fd, attr, data, flags))
}

func Listxattr(path string, dest []byte) (sz int, err error) {
	return count(kernel.Listxattr(path, dest, false))
}

func Llistxattr(path string, dest []byte) (sz int, err error) {
	return count(kernel.Listxattr(path, dest, true))
}

func Flistxattr(fd int, dest []byte) (sz int, err error) {
	return count(kernel.Flistxattr(fd, dest))
}

func Removexattr(path, attr string) error {
	return errnoErr(kernel.Removexattr(path, attr, false))
}

func Lremovexattr(path, attr string) error {
	return errnoErr(kernel.Removexattr(path, attr, true))
}

func Fremovexattr(fd int, attr string) error {
	return errnoErr(kernel.Fremovexattr(fd, attr))
}
