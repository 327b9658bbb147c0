package kernel

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs/devfs"
	"github.com/yolkos/yolk/fs/tty"
)

// flags are the launcher's settings:
//
//	quiet=1            no messages on the console
//	path.TAG="/path"   where to mount the share TAG, quoted as in Go
//	readonly.TAG=1     its mount takes no changes
//	files.TAG=N        how many descriptors its server has for the guest
//	stderr=stdout      there is one port for both
//	watch=1            the launcher answers the watch messages of kernel/control
//	console.NAME=1     stdout, stderr or the terminal (tty) goes where the serial
//	                   port goes
//	file.NAME=M R S    what stdin, stdout or stderr is on the host: st_mode in
//	                   octal, st_rdev and st_size; tty: the terminal
//	tty=R C X Y T      there is a terminal, on the port yolk.tty: its size in
//	                   characters and pixels, its struct termios2 in hexadecimal
type flags map[string]string

// parseFlags reads lines of key=value.
func parseFlags(text string) flags {
	f := flags{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		f[key] = value
	}
	return f
}

// path returns where to mount a share, "" if only its tag says it.
func (f flags) path(tag string) (string, error) {
	quoted := f["path."+tag]
	if quoted == "" {
		return "", nil
	}
	path, err := strconv.Unquote(quoted)
	if err != nil {
		return "", fmt.Errorf("launcher's setting path.%s=%s: not a quoted string; mounting %s as its tag says", tag, quoted, tag)
	}
	return path, nil
}

// files returns how many descriptors the server of a share has, 0 if nobody says.
func (f flags) files(tag string) (int, error) {
	text := f["files."+tag]
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("launcher's setting files.%s=%s: not a number of files", tag, text)
	}
	return n, nil
}

// ttyKind is the kind of a stream that is the terminal.
const ttyKind = "tty"

// kind returns what a stream is on the host; ok is false if nobody says.
func (f flags) kind(name string) (k devfs.Kind, ok bool) {
	_, err := fmt.Sscanf(f["file."+name], "%o %d %d", &k.Mode, &k.Rdev, &k.Size)
	switch k.Mode & syscall.S_IFMT {
	case syscall.S_IFIFO, syscall.S_IFCHR, syscall.S_IFBLK, syscall.S_IFREG, syscall.S_IFSOCK, syscall.S_IFDIR:
		return k, err == nil
	}
	return devfs.Kind{}, false
}

// terminal returns size and settings of the terminal; ok is false if there is none.
func (f flags) terminal() (size tty.Winsize, m tty.Termios, ok bool) {
	var settings []byte
	if _, err := fmt.Sscanf(f["tty"], "%d %d %d %d %x", &size.Row, &size.Col, &size.Xpixel, &size.Ypixel, &settings); err != nil {
		return size, tty.Default(), f["tty"] != ""
	}
	if m = tty.Default(); len(settings) == tty.SizeTermios2 {
		m.Decode(settings)
	}
	return size, m, true
}

// parseTime reads when the machine was started, by the launcher's clock, in
// nanoseconds since 1970. It returns the zero time if that is not said.
func parseTime(text string) time.Time {
	ns, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ns <= 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}
