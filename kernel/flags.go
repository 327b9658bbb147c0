package kernel

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs/devfs"
	"github.com/yolkos/yolk/fs/tty"
)

// flags are the launcher's settings, and those in the image:
//
//	quiet=1            no messages on the console
//	log=json           the log on the console is JSON, an object a line
//	log.marked=1       each line of the log on the console begins with
//	                   control.LogMark
//	hold=WHEN          the program starts when the launcher says continued: it is
//	                   held when the kernel has booted (boot), or the network
//	                   is up as well (network)
//	enosys=1           system calls that are not there are told at the end
//	path.TAG="/path"   where to mount the share TAG, quoted as in Go
//	readonly.TAG=1     its mount takes no changes
//	files.TAG=N        how many descriptors its server has for the guest
//	stderr=stdout      there is one port for both
//	watch=1            the launcher answers the watch messages of kernel/control
//	console.NAME=1     stdout, stderr or the terminal (tty) goes where the serial
//	                   port goes
//	file.NAME=M R S    what stdin, stdout or stderr is on the host: st_mode in
//	                   octal, st_rdev and st_size; tty: the terminal
//	access=XXX         how stdin, stdout and stderr are open there: r, w, b for both,
//	                   - for what is no file
//	tty=R C X Y T      there is a terminal, on the port yolk.tty: its size in
//	                   characters and pixels, its struct termios2 in hexadecimal
//	tty.cooked=1       it breaks lines by itself
//	net.ip=P P         addresses of the first network device, each with the length of
//	                   its prefix, IPv4 or IPv6, separated by spaces as in all
//	                   lists here; without it the device asks (DHCPv4, SLAAC)
//	net.gateway=A A    its default routers, one of each family at most
//	net.dns=A A        name servers, in order
//	net.search=D D     domains for short names, in order
//	net.hostname=NAME  the name of the machine; also without a network
//	writable=1         what is changed in the image's root goes into a tmpfs over it
//	disk.NAME="/path"  where to mount what is on the disk or partition NAME (vda1), quoted
//	overlay.NAME=1     what is changed there goes into a tmpfs over it
//	trace=KIND,KIND    what package kernel/trace sees to begin with; without it everything
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

// settingWord begins the words of the kernel command line that are settings.
const settingWord = "yolk."

// addWords takes settings from the words of a kernel command line: yolk.KEY=VALUE, or
// yolk.KEY alone for 1, and yolk.cwd=DIR. What the launcher has said itself counts
// more. A path is not quoted there. It returns an error for each that is none.
func (f flags) addWords(words []string) (errs []error) {
	for _, w := range words {
		text, ok := strings.CutPrefix(w, settingWord)
		if !ok {
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			value = "1"
		}
		wrong := ""
		switch {
		case key == "env" && strings.IndexByte(value, '=') > 0:
			continue // the environment is there already
		case key == "env":
			wrong = "want yolk.env=NAME=VALUE"
		case !isSetting(key):
			wrong = "no such setting"
		}
		if wrong != "" {
			errs = append(errs, fmt.Errorf("kernel command line: %q: %s", w, wrong))
			continue
		}
		if strings.HasPrefix(key, "path.") || strings.HasPrefix(key, "disk.") {
			value = strconv.Quote(value)
		}
		if _, said := f[key]; !said {
			f[key] = value
		}
	}
	return errs
}

// isSetting reports whether there is such a setting for the command line.
func isSetting(key string) bool {
	switch key {
	case "quiet", "log", "enosys", "cwd", "net.ip", "net.gateway", "net.dns", "net.search", "net.hostname":
		return true
	}
	for _, prefix := range []string{"path.", "readonly.", "files.", "disk.", "overlay."} {
		if len(key) > len(prefix) && strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// disks are the names of the disks that are to be mounted, in order.
func (f flags) disks() (names []string) {
	for key := range f {
		if name, ok := strings.CutPrefix(key, "disk."); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
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
	words := strings.Fields(f["file."+name])
	if len(words) != 3 {
		return k, false
	}
	mode, err := strconv.ParseUint(words[0], 8, 32)
	rdev, rerr := strconv.ParseUint(words[1], 10, 64)
	size, serr := strconv.ParseInt(words[2], 10, 64)
	switch mode & syscall.S_IFMT {
	case syscall.S_IFIFO, syscall.S_IFCHR, syscall.S_IFBLK, syscall.S_IFREG, syscall.S_IFSOCK, syscall.S_IFDIR:
		return devfs.Kind{Mode: uint32(mode), Rdev: rdev, Size: size}, err == nil && rerr == nil && serr == nil
	}
	return k, false
}

// access returns how the standard stream fd is open on the host, O_RDONLY, O_WRONLY or O_RDWR,
// and usual if nobody says.
func (f flags) access(fd, usual int) int {
	text := f["access"]
	if fd >= len(text) {
		return usual
	}
	switch text[fd] {
	case 'r':
		return syscall.O_RDONLY
	case 'w':
		return syscall.O_WRONLY
	case 'b':
		return syscall.O_RDWR
	}
	return usual
}

// terminal returns size and settings of the terminal; ok is false if there is none.
func (f flags) terminal() (size tty.Winsize, m tty.Termios, ok bool) {
	words := strings.Fields(f["tty"])
	m = tty.Default()
	for i, to := range []*uint16{&size.Row, &size.Col, &size.Xpixel, &size.Ypixel} {
		if i < len(words) {
			n, _ := strconv.ParseUint(words[i], 10, 16) // 0: unknown
			*to = uint16(n)
		}
	}
	if len(words) > 4 {
		if settings, err := hex.DecodeString(words[4]); err == nil && len(settings) == tty.SizeTermios2 {
			m.Decode(settings)
		}
	}
	return size, m, len(words) > 0
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
