package hostwatch

import (
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxPath is the longest path that is looked at, in bytes: PATH_MAX less its NUL.
const maxPath = 4095

// open opens, with O_PATH, what is at path below the directory root. No link is
// followed, and nothing outside is reached: the guest has walked the path and
// names each component. With openat2, which kernels before 5.6 do not have and
// filters for containers may refuse, that holds whatever is renamed meanwhile;
// without it, a directory that is moved out of the share at that moment may be
// looked into.
func (w *Watcher) open(root int, path string) (int, error) {
	if len(path) > maxPath {
		return -1, syscall.ENAMETOOLONG
	}
	var names []string
	for _, name := range strings.Split(path, "/") {
		switch name {
		case "", ".":
			continue
		case "..":
			return -1, syscall.EINVAL
		}
		if strings.IndexByte(name, 0) >= 0 {
			return -1, syscall.EINVAL
		}
		names = append(names, name)
	}
	const flags = unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC
	if len(names) == 0 {
		return unix.Openat(root, ".", flags, 0)
	}
	if !w.noBeyond {
		fd, err := unix.Openat2(root, strings.Join(names, "/"), &unix.OpenHow{
			Flags: flags, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
		})
		if err != unix.ENOSYS && err != unix.EPERM {
			return fd, err
		}
		w.noBeyond = true
	}
	at := root
	for i, name := range names {
		f := flags
		if i < len(names)-1 {
			f |= unix.O_DIRECTORY
		}
		fd, err := unix.Openat(at, name, f, 0)
		if at != root {
			unix.Close(at)
		}
		if err != nil {
			return -1, err
		}
		at = fd
	}
	return at, nil
}

func fdPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
