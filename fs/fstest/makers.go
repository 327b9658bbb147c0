package fstest

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"sort"
	"strings"
	"syscall"
)

// makers make the operations that a player chooses from.
var makers = []func(p *player) op{
	open, open, open, openDir, openDir, openNew, openNew, closeOne, read, read, write, write, write, pread, pwrite, seek,
	ftruncate, truncate, fstat, stat, stat, stat, mkdir, mkdir, mkdir, mknod, unlink, unlink, remove, rename, rename,
	rename, link, link, symlink, symlink, readlink, chmod, fchmod, chown, utimens, access, chdir, getcwd, fchdir,
	list, list, umask, setfl, setxattr, getxattr, listxattr, removexattr, fallocate, copyRange, flock, tmpfile,
}

func open(p *player) op {
	flags := []int{syscall.O_RDONLY, syscall.O_RDWR, syscall.O_WRONLY}[p.r.IntN(3)]
	for _, f := range []int{syscall.O_CREAT, syscall.O_EXCL, syscall.O_TRUNC, syscall.O_APPEND, syscall.O_DIRECTORY, syscall.O_NOFOLLOW} {
		if p.one(5) {
			flags |= f
		}
	}
	if p.one(20) {
		flags |= oPath
	}
	if flags&syscall.O_CREAT != 0 {
		flags &^= syscall.O_DIRECTORY // Linux has changed its mind on the two together
	}
	return openWith(p, flags)
}

func openDir(p *player) op { return openPath(p, p.dirPath(), syscall.O_RDONLY) }

func openNew(p *player) op { return openWith(p, syscall.O_CREAT|syscall.O_RDWR) }

func openWith(p *player, flags int) op { return openPath(p, p.path(), flags) }

func openPath(p *player, path string, flags int) op {
	dir, i, mode := p.at(path), p.fd(), p.mode()&0o777
	return op{fmt.Sprintf("openat(%d, %q, %s, %o) as %d", dir, path, flagNames(flags), mode, i), func(w *world) string {
		fd, e := w.s.Openat(w.at(dir), path, flags|syscall.O_NONBLOCK, mode)
		if e != 0 {
			return result(e)
		}
		w.close(i)
		w.open(i, fd)
		return "ok"
	}}
}

func flagNames(flags int) string {
	names := []string{[]string{"O_RDONLY", "O_WRONLY", "O_RDWR", ""}[flags&3]}
	for _, f := range []struct {
		name string
		flag int
	}{
		{"O_CREAT", syscall.O_CREAT}, {"O_EXCL", syscall.O_EXCL}, {"O_TRUNC", syscall.O_TRUNC}, {"O_APPEND", syscall.O_APPEND},
		{"O_DIRECTORY", syscall.O_DIRECTORY}, {"O_NOFOLLOW", syscall.O_NOFOLLOW}, {"O_PATH", oPath},
	} {
		if flags&f.flag != 0 {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, "|")
}

func closeOne(p *player) op {
	i := p.fd()
	return op{fmt.Sprintf("close(%d)", i), func(w *world) string { return result(w.close(i)) }}
}

// buffer lengths and offsets are mostly small, and sometimes cross pages.
func (p *player) length() int {
	if p.one(4) {
		return p.r.IntN(200_000)
	}
	return p.r.IntN(100)
}

func (p *player) data() []byte {
	return bytes.Repeat([]byte{byte('a' + p.r.IntN(26))}, p.length())
}

func sum(b []byte) string { return fmt.Sprintf("%d bytes %08x", len(b), crc32.ChecksumIEEE(b)) }

func read(p *player) op {
	i, n := p.fd(), p.length()
	return op{fmt.Sprintf("read(%d, %d)", i, n), func(w *world) string {
		if w.kinds[i] == syscall.S_IFDIR {
			w.s.Seek(w.fds[i], 0, 0) // positions in directories are nobody's business
		}
		b := make([]byte, n)
		n, e := w.s.Read(w.fds[i], b)
		if e != 0 {
			return result(e)
		}
		return sum(b[:n])
	}}
}

func pread(p *player) op {
	i, n, off := p.fd(), p.length(), int64(p.length()-1)
	return op{fmt.Sprintf("pread(%d, %d, %d)", i, n, off), func(w *world) string {
		b := make([]byte, n)
		n, e := w.s.Pread(w.fds[i], b, off)
		if e != 0 {
			return result(e)
		}
		return sum(b[:n])
	}}
}

func write(p *player) op {
	i, b := p.fd(), p.data()
	return op{fmt.Sprintf("write(%d, %d bytes)", i, len(b)), func(w *world) string {
		if w.kinds[i] == syscall.S_IFIFO {
			return "" // how much fits into a pipe is nobody's business
		}
		return resultN(w.s.Write(w.fds[i], b))
	}}
}

func pwrite(p *player) op {
	i, b, off := p.fd(), p.data(), int64(p.length()-1)
	return op{fmt.Sprintf("pwrite(%d, %d bytes, %d)", i, len(b), off), func(w *world) string {
		return resultN(w.s.Pwrite(w.fds[i], b, off))
	}}
}

func seek(p *player) op {
	i, off, whence := p.fd(), int64(p.length()-20), p.r.IntN(3)
	return op{fmt.Sprintf("lseek(%d, %d, %d)", i, off, whence), func(w *world) string {
		off, whence := off, whence
		if w.kinds[i] == syscall.S_IFDIR {
			off, whence = 0, 0
		}
		n, e := w.s.Seek(w.fds[i], off, whence)
		return resultN(int(n), e)
	}}
}

func ftruncate(p *player) op {
	i, n := p.fd(), int64(p.length()-1)
	return op{fmt.Sprintf("ftruncate(%d, %d)", i, n), func(w *world) string {
		return result(w.s.Ftruncate(w.fds[i], n))
	}}
}

func truncate(p *player) op {
	path, n := p.here(p.path()), int64(p.length()-1)
	return op{fmt.Sprintf("truncate(%q, %d)", path, n), func(w *world) string {
		return result(w.s.Truncate(path, n))
	}}
}

func fstat(p *player) op {
	i := p.fd()
	return op{fmt.Sprintf("fstat(%d)", i), func(w *world) string {
		var st syscall.Stat_t
		if e := w.s.Fstat(w.fds[i], &st); e != 0 {
			return result(e)
		}
		return describe(&st)
	}}
}

func stat(p *player) op {
	path, flags := p.path(), p.r.IntN(2)*nofollow
	dir := p.at(path)
	return op{fmt.Sprintf("fstatat(%d, %q, %#x)", dir, path, flags), func(w *world) string {
		var st syscall.Stat_t
		if e := w.s.Fstatat(w.at(dir), path, &st, flags); e != 0 {
			return result(e)
		}
		return describe(&st)
	}}
}

func access(p *player) op {
	path, mode := p.path(), uint32(p.r.IntN(8))
	dir := p.at(path)
	return op{fmt.Sprintf("faccessat(%d, %q, %d)", dir, path, mode), func(w *world) string {
		return result(w.s.Faccessat(w.at(dir), path, mode, 0))
	}}
}

func list(p *player) op {
	i, size := p.fd(), 100+p.r.IntN(2000)
	return op{fmt.Sprintf("list(%d)", i), func(w *world) string {
		w.s.Seek(w.fds[i], 0, 0)
		names, e := readNames(w.s, w.fds[i], size)
		if e != 0 {
			return result(e)
		}
		return strings.Join(names, " ")
	}}
}

// readNames reads the rest of a directory, "name type" sorted.
func readNames(s Sys, fd, size int) (names []string, e syscall.Errno) {
	buf := make([]byte, max(size, 300))
	for {
		n, e := s.ReadDirent(fd, buf)
		if e != 0 {
			return nil, e
		}
		if n == 0 {
			sort.Strings(names)
			return names, 0
		}
		for b := buf[:n]; len(b) > 0; {
			length := int(b[16]) | int(b[17])<<8
			name, _, _ := bytes.Cut(b[19:length], []byte{0})
			names = append(names, fmt.Sprintf("%s %d", name, b[18]))
			b = b[length:]
		}
	}
}

func setfl(p *player) op {
	i, flags := p.fd(), p.r.IntN(2)*syscall.O_APPEND|syscall.O_NONBLOCK
	return op{fmt.Sprintf("fcntl(%d, F_SETFL, %#x)", i, flags), func(w *world) string {
		if _, e := w.s.Fcntl(w.fds[i], syscall.F_SETFL, flags); e != 0 {
			return result(e)
		}
		fl, e := w.s.Fcntl(w.fds[i], syscall.F_GETFL, 0)
		// Linux adds O_LARGEFILE and the O_NOFOLLOW and O_DIRECTORY of open.
		return resultN(fl&(syscall.O_ACCMODE|syscall.O_APPEND|syscall.O_NONBLOCK), e)
	}}
}

func chdir(p *player) op {
	path := p.here(p.dirPath())
	return op{fmt.Sprintf("chdir(%q)", path), func(w *world) string { return result(w.s.Chdir(path)) }}
}

func fchdir(p *player) op {
	i := p.fd()
	return op{fmt.Sprintf("fchdir(%d)", i), func(w *world) string { return result(w.s.Fchdir(w.fds[i])) }}
}

func getcwd(*player) op {
	return op{"getcwd()", func(w *world) string {
		dir, e := w.s.Getcwd()
		if e != 0 {
			w.s.Chdir("/") // nothing more happens in a directory that is gone
			return result(e)
		}
		return dir
	}}
}

func umask(p *player) op {
	if !p.one(10) {
		return op{}
	}
	mask := p.r.IntN(0o1000)
	if p.c.PlainModes {
		mask &= 0o377
	}
	return op{fmt.Sprintf("umask(%o)", mask), func(w *world) string { return fmt.Sprint(w.s.Umask(mask)) }}
}
