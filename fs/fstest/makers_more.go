package fstest

import (
	"fmt"
	"sort"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/syscalls"
)

func (p *player) xattr() string {
	return p.pick("user.a", "user.b", "user.a", "trusted.x", "user.", "strange.y", "", "plain")
}

func setxattr(p *player) op {
	path, attr, data, flags, nofollow := p.path(), p.xattr(), p.data(), p.r.IntN(4), p.one(2)
	data = data[:min(len(data), 50)] // Linux's file systems differ in how much they take
	return op{fmt.Sprintf("setxattr(%q, %q, %d bytes, %d) nofollow %v", path, attr, len(data), flags, nofollow), func(w *world) string {
		return result(w.s.Setxattr(path, attr, data, flags, nofollow))
	}}
}

func getxattr(p *player) op {
	path, attr, n, nofollow := p.path(), p.xattr(), p.r.IntN(100), p.one(2)
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
	path, nofollow := p.path(), p.one(2)
	return op{fmt.Sprintf("listxattr(%q) nofollow %v", path, nofollow), func(w *world) string {
		return xattrNames(w.s, path, nofollow)
	}}
}

func xattrNames(s Sys, path string, nofollow bool) string {
	buf := make([]byte, 1000)
	n, e := s.Listxattr(path, buf, nofollow)
	switch e {
	case 0:
	case syscall.EOPNOTSUPP:
		return "" // no attributes, no names
	default:
		return result(e)
	}
	var names []string
	for _, name := range strings.Split(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00") {
		if !strings.HasPrefix(name, "security.") && !strings.HasPrefix(name, "system.") {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return strings.Join(names, " ")
}

func removexattr(p *player) op {
	path, attr, nofollow := p.path(), p.xattr(), p.one(2)
	return op{fmt.Sprintf("removexattr(%q, %q) nofollow %v", path, attr, nofollow), func(w *world) string {
		return result(w.s.Removexattr(path, attr, nofollow))
	}}
}

func fallocate(p *player) op {
	modes := []uint32{0, 0, 1, 3, 0x10, 0x11, 2}
	i, mode, off, n := p.r.IntN(nfds), modes[p.r.IntN(len(modes))], int64(p.length()-1), int64(p.length()-1)
	return op{fmt.Sprintf("fallocate(%d, %#x, %d, %d)", i, mode, off, n), func(w *world) string {
		return result(w.s.Fallocate(w.fds[i], mode, off, n))
	}}
}

func copyRange(p *player) op {
	i, j, n := p.r.IntN(nfds), p.r.IntN(nfds), p.length()
	from, to, positions := int64(p.length()), int64(p.length()), p.one(2)
	return op{fmt.Sprintf("copy_file_range(%d, %d, %d, %d, %d) positions %v", i, from, j, to, n, positions), func(w *world) string {
		if w.kind(i) != syscall.S_IFREG || w.kind(j) != syscall.S_IFREG {
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
	i, how := p.r.IntN(nfds), []int{syscall.LOCK_SH, syscall.LOCK_EX, syscall.LOCK_UN, 0, 3}[p.r.IntN(5)]
	return op{fmt.Sprintf("flock(%d, %d)", i, how), func(w *world) string {
		return result(w.s.Flock(w.fds[i], how|syscall.LOCK_NB))
	}}
}

// tmpfile makes a file without a name, and a name for it.
func tmpfile(p *player) op {
	const oTmpfile = 0x410000 // O_TMPFILE
	dir, path, path2, excl := p.dir(), p.dirPath(), p.path(), p.r.IntN(2)*syscall.O_EXCL
	return op{fmt.Sprintf("openat(%d, %q, O_TMPFILE|%#x); linkat(%q)", dir, path, excl, path2), func(w *world) string {
		fd, e := w.s.Openat(w.at(dir), path, oTmpfile|excl|syscall.O_RDWR, 0o640)
		if e != 0 {
			return result(e)
		}
		defer w.s.Close(fd)
		w.s.Write(fd, []byte("nameless"))
		return result(w.s.Linkat(fd, "", cwd, path2, syscalls.AT_EMPTY_PATH))
	}}
}
