package fstest

import (
	"fmt"
	"sort"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/syscalls"
)

func (p *player) xattr() string {
	return p.pick("user.a", "user.a", "user.a", "user.a", "user.b", "trusted.x", "user.", "strange.y", "", "plain")
}

func setxattr(p *player) op {
	path, attr, data, flags, nofollow := p.here(p.path()), p.xattr(), p.data(), p.r.IntN(4), p.one(2)
	data = data[:min(len(data), 50)] // Linux's file systems differ in how much they take
	return op{fmt.Sprintf("setxattr(%q, %q, %d bytes, %d) nofollow %v", path, attr, len(data), flags, nofollow), func(w *world) string {
		return result(w.s.Setxattr(path, attr, data, flags, nofollow))
	}}
}

func getxattr(p *player) op {
	path, attr, n, nofollow := p.here(p.path()), p.xattr(), p.r.IntN(100), p.one(2)
	return op{fmt.Sprintf("getxattr(%q, %q, %d) nofollow %v", path, attr, n, nofollow), func(w *world) string {
		buf := make([]byte, n)
		m, e := w.s.Getxattr(path, attr, buf, nofollow)
		if e != 0 {
			return result(e)
		}
		return fmt.Sprint(m, " ", string(buf[:min(n, m)]))
	}}
}

func listxattr(p *player) op {
	path, nofollow := p.here(p.path()), p.one(2)
	return op{fmt.Sprintf("listxattr(%q) nofollow %v", path, nofollow), func(w *world) string {
		names, e := xattrNames(w.s, path, nofollow)
		return fmt.Sprint(names, result(e))
	}}
}

// xattrNames lists extended attributes, sorted. Where there are none, they
// have no names.
func xattrNames(s Sys, path string, nofollow bool) (names []string, e syscall.Errno) {
	buf := make([]byte, 1000)
	n, e := s.Listxattr(path, buf, nofollow)
	if e == syscall.EOPNOTSUPP {
		return nil, 0
	}
	if e != 0 {
		return nil, e
	}
	for name := range strings.SplitSeq(string(buf[:n]), "\x00") {
		if name != "" && !strings.HasPrefix(name, "security.") && !strings.HasPrefix(name, "system.") {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names, 0
}

func removexattr(p *player) op {
	path, attr, nofollow := p.here(p.path()), p.xattr(), p.one(2)
	return op{fmt.Sprintf("removexattr(%q, %q) nofollow %v", path, attr, nofollow), func(w *world) string {
		return result(w.s.Removexattr(path, attr, nofollow))
	}}
}

func fallocate(p *player) op {
	modes := []uint32{0, 0, 1, 3, 0x10, 0x11, 2}
	i, mode, off, n := p.fd(), modes[p.r.IntN(len(modes))], int64(p.length()-1), int64(p.length()-1)
	return op{fmt.Sprintf("fallocate(%d, %#x, %d, %d)", i, mode, off, n), func(w *world) string {
		return result(w.s.Fallocate(w.fds[i], mode, off, n))
	}}
}

func copyRange(p *player) op {
	i, j, n := p.fd(), p.fd(), p.length()
	from, to, positions := int64(p.length()), int64(p.length()), p.one(2)
	return op{fmt.Sprintf("copy_file_range(%d, %d, %d, %d, %d) positions %v", i, from, j, to, n, positions), func(w *world) string {
		if w.kinds[i] != syscall.S_IFREG || w.kinds[j] != syscall.S_IFREG {
			return "" // Linux has changed which errors come first
		}
		if positions {
			return resultN(w.s.CopyFileRange(w.fds[i], nil, w.fds[j], nil, n, 0))
		}
		a, b := from, to
		m, e := w.s.CopyFileRange(w.fds[i], &a, w.fds[j], &b, n, 0)
		return fmt.Sprint(resultN(m, e), " ", a, " ", b)
	}}
}

func flock(p *player) op {
	i, how := p.fd(), []int{syscall.LOCK_SH, syscall.LOCK_EX, syscall.LOCK_UN, 0, 3}[p.r.IntN(5)]
	return op{fmt.Sprintf("flock(%d, %d)", i, how), func(w *world) string {
		return result(w.s.Flock(w.fds[i], how|syscall.LOCK_NB))
	}}
}

// tmpfile makes a file without a name, and a name for it.
func tmpfile(p *player) op {
	const oTmpfile = 0x410000 // O_TMPFILE
	path, path2, excl := p.dirPath(), p.here(p.path()), p.r.IntN(2)*syscall.O_EXCL
	dir := p.at(path)
	return op{fmt.Sprintf("openat(%d, %q, O_TMPFILE|%#x); linkat(%q)", dir, path, excl, path2), func(w *world) string {
		fd, e := w.s.Openat(w.at(dir), path, oTmpfile|excl|syscall.O_RDWR, 0o640)
		if e == syscall.EPERM {
			e = syscall.ENOENT // what ext4 says where the directory is removed
		}
		if e != 0 {
			return result(e)
		}
		defer w.s.Close(fd)
		w.s.Write(fd, []byte("nameless"))
		return result(w.s.Linkat(fd, "", cwd, path2, syscalls.AT_EMPTY_PATH))
	}}
}

// removeAll removes what is at path, and all that is in it.
func removeAll(path string) op {
	return op{fmt.Sprintf("remove all of %q", path), func(w *world) string { return w.removeAll(path) }}
}

func (w *world) removeAll(path string) string {
	if e := w.s.Unlinkat(cwd, path, 0); e != syscall.EISDIR {
		return result(e)
	}
	fd, e := w.s.Openat(cwd, path, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if e != 0 {
		return result(e)
	}
	names, e := readNames(w.s, fd, 4096)
	w.s.Close(fd)
	said := result(e)
	for _, line := range names {
		if name, _, _ := strings.Cut(line, " "); name != "." && name != ".." {
			said += " " + w.removeAll(path+"/"+name)
		}
	}
	return said + " " + result(w.s.Unlinkat(cwd, path, rmdir))
}
