//go:build tamago

package unix

import "unsafe"

// Control operations go to the file system of the file. A guest has no
// terminal: standard input and output are streams of bytes that the host
// interprets, which answer ENOTTY.

// Requests for the flags of a file, where its file system has some.
const (
	FS_IOC_GETFLAGS = 0x80086601
	FS_IOC_SETFLAGS = 0x40086602
)

// Termios is how a terminal is set.
type Termios struct {
	Iflag  uint32
	Oflag  uint32
	Cflag  uint32
	Lflag  uint32
	Line   uint8
	Cc     [19]uint8
	Ispeed uint32
	Ospeed uint32
}

// Winsize is the size of a terminal, in characters and pixels.
type Winsize struct {
	Row    uint16
	Col    uint16
	Xpixel uint16
	Ypixel uint16
}

// ioctlPtr is an ioctl whose argument points to v.
func ioctlPtr[T any](fd int, req uint, v *T) error {
	p := unsafe.Pointer(v)
	_, err := ioctl(fd, uint32(req), uint64(uintptr(p)), unsafe.Slice((*byte)(p), unsafe.Sizeof(*v)))
	return err
}

func IoctlGetTermios(fd int, req uint) (*Termios, error) {
	var v Termios
	err := ioctlPtr(fd, req, &v)
	return &v, err
}

func IoctlGetWinsize(fd int, req uint) (*Winsize, error) {
	var v Winsize
	err := ioctlPtr(fd, req, &v)
	return &v, err
}

func IoctlSetTermios(fd int, req uint, value *Termios) error { return ioctlPtr(fd, req, value) }
func IoctlSetWinsize(fd int, req uint, value *Winsize) error { return ioctlPtr(fd, req, value) }

func IoctlGetInt(fd int, req uint) (int, error) {
	var v int
	err := ioctlPtr(fd, req, &v)
	return v, err
}

func IoctlGetUint32(fd int, req uint) (uint32, error) {
	var v uint32
	err := ioctlPtr(fd, req, &v)
	return v, err
}

// IoctlSetInt hands over the value itself.
func IoctlSetInt(fd int, req uint, value int) error {
	_, err := ioctl(fd, uint32(req), uint64(value), nil)
	return err
}

// IoctlSetPointerInt hands over where the value is.
func IoctlSetPointerInt(fd int, req uint, value int) error {
	v := int32(value)
	return ioctlPtr(fd, req, &v)
}

// IoctlRetInt is for requests that answer with their result.
func IoctlRetInt(fd int, req uint) (int, error) {
	val, err := ioctl(fd, uint32(req), 0, nil)
	if err != nil {
		return 0, err
	}
	return val, nil
}
