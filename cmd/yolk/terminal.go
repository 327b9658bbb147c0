package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// raw has a terminal pass keys on one by one and without echo, Ctrl-C and
// Ctrl-Z too. Ctrl-\ still raises its signal, for a program that takes no notice
// of keys. The function that it returns restores the terminal.
func raw(f *os.File) (restore func(), err error) {
	fd := int(f.Fd())
	old, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("--raw: standard input is not a terminal")
	}
	t := *old
	t.Lflag &^= unix.ICANON | unix.ECHO | unix.IEXTEN
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	t.Cc[unix.VINTR], t.Cc[unix.VSUSP] = disabled, disabled
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &t); err != nil {
		return nil, fmt.Errorf("--raw: %w", err)
	}
	return func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, old) }, nil
}

// disabled is the value of a control character that there is none of
// (_POSIX_VDISABLE).
const disabled = 0
