//go:build tamago

package unix

// A guest has no terminal: standard input and output are streams of bytes
// that the host interprets. Control operations end as on Linux with a file
// that is none, in ENOTTY, or in EBADF.

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

// PollFd is a descriptor that Poll waits for.
type PollFd struct {
	Fd      int32
	Events  int16
	Revents int16
}

func noTerminal(fd int) error {
	if _, err := fcntl(fd, F_GETFD, 0); err != nil {
		return err
	}
	return ENOTTY
}

func IoctlGetTermios(fd int, req uint) (*Termios, error)     { return nil, noTerminal(fd) }
func IoctlSetTermios(fd int, req uint, value *Termios) error { return noTerminal(fd) }
func IoctlGetWinsize(fd int, req uint) (*Winsize, error)     { return nil, noTerminal(fd) }
func IoctlSetWinsize(fd int, req uint, value *Winsize) error { return noTerminal(fd) }
func IoctlGetInt(fd int, req uint) (int, error)              { return 0, noTerminal(fd) }
func IoctlSetInt(fd int, req uint, value int) error          { return noTerminal(fd) }
func IoctlSetPointerInt(fd int, req uint, value int) error   { return noTerminal(fd) }
func IoctlGetUint32(fd int, req uint) (uint32, error)        { return 0, noTerminal(fd) }

// Poll does not exist, goroutines wait: ENOSYS.
func Poll(fds []PollFd, timeout int) (n int, err error) { return -1, ENOSYS }
