package fstest

import (
	"fmt"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/syscalls"
)

func mkdir(p *player) op {
	dir, path, mode := p.dir(), p.dirPath(), p.mode()
	return op{fmt.Sprintf("mkdirat(%d, %q, %o)", dir, path, mode), func(w *world) string {
		return result(w.s.Mkdirat(w.at(dir), path, mode))
	}}
}

// mode makes permission bits, without the sticky bit: fs.protected_regular of
// Linux gives it a meaning of its own.
func (p *player) mode() uint32 {
	mode := uint32(p.r.IntN(0o10000)) &^ syscall.S_ISVTX
	if p.c.PlainModes {
		mode = mode&0o777 | 0o400
	}
	return mode
}

func mknod(p *player) op {
	kinds := []uint32{syscall.S_IFREG, syscall.S_IFREG, 0, syscall.S_IFIFO, syscall.S_IFSOCK, syscall.S_IFDIR, syscall.S_IFLNK}
	dir, path, mode := p.dir(), p.path(), kinds[p.r.IntN(len(kinds))]|p.mode()
	return op{fmt.Sprintf("mknodat(%d, %q, %o)", dir, path, mode), func(w *world) string {
		return result(w.s.Mknodat(w.at(dir), path, mode, 0))
	}}
}

func unlink(p *player) op {
	dir, path := p.dir(), p.path()
	return op{fmt.Sprintf("unlinkat(%d, %q, 0)", dir, path), func(w *world) string {
		return result(w.s.Unlinkat(w.at(dir), path, 0))
	}}
}

func remove(p *player) op {
	dir, path := p.dir(), p.dirPath()
	return op{fmt.Sprintf("unlinkat(%d, %q, AT_REMOVEDIR)", dir, path), func(w *world) string {
		return result(w.s.Unlinkat(w.at(dir), path, rmdir))
	}}
}

func rename(p *player) op {
	dir, path, dir2, path2, flags := p.dir(), p.path(), p.dir(), p.path(), uint32(0)
	if p.one(2) {
		path, path2 = p.dirPath(), p.dirPath()
	}
	if p.one(3) {
		flags = []uint32{noReplace, exchange, exchange, noReplace | exchange}[p.r.IntN(4)]
	}
	return op{fmt.Sprintf("renameat2(%d, %q, %d, %q, %d)", dir, path, dir2, path2, flags), func(w *world) string {
		return result(w.s.Renameat2(w.at(dir), path, w.at2(dir2), path2, flags))
	}}
}

func link(p *player) op {
	dir, path, dir2, path2, flags := p.dir(), p.path(), p.dir(), p.path(), p.r.IntN(2)*syscalls.AT_SYMLINK_FOLLOW
	return op{fmt.Sprintf("linkat(%d, %q, %d, %q, %#x)", dir, path, dir2, path2, flags), func(w *world) string {
		return result(w.s.Linkat(w.at(dir), path, w.at2(dir2), path2, flags))
	}}
}

func symlink(p *player) op {
	target, dir, path := p.path(), p.dir(), p.path()
	if p.one(2) {
		target = p.dirPath()
	}
	return op{fmt.Sprintf("symlinkat(%q, %d, %q)", target, dir, path), func(w *world) string {
		return result(w.s.Symlinkat(target, w.at(dir), path))
	}}
}

func readlink(p *player) op {
	dir, path, n := p.dir(), p.path(), p.r.IntN(20)
	return op{fmt.Sprintf("readlinkat(%d, %q, %d)", dir, path, n), func(w *world) string {
		buf := make([]byte, n)
		n, e := w.s.Readlinkat(w.at(dir), path, buf)
		if e != 0 {
			return result(e)
		}
		return string(buf[:n])
	}}
}

func chmod(p *player) op {
	dir, path, mode := p.dir(), p.path(), p.mode()
	return op{fmt.Sprintf("fchmodat(%d, %q, %o)", dir, path, mode), func(w *world) string {
		return result(w.s.Fchmodat(w.at(dir), path, mode, 0))
	}}
}

func fchmod(p *player) op {
	i, mode := p.r.IntN(nfds), p.mode()
	return op{fmt.Sprintf("fchmod(%d, %o)", i, mode), func(w *world) string {
		return result(w.s.Fchmod(w.fds[i], mode))
	}}
}

func chown(p *player) op {
	dir, path, flags := p.dir(), p.path(), p.r.IntN(2)*nofollow
	uid, gid := p.r.IntN(4)-1, p.r.IntN(4)-1
	return op{fmt.Sprintf("fchownat(%d, %q, %d, %d, %#x)", dir, path, uid, gid, flags), func(w *world) string {
		return result(w.s.Fchownat(w.at(dir), path, uid, gid, flags))
	}}
}

func utimens(p *player) op {
	dir, path, flags := p.dir(), p.path(), p.r.IntN(2)*nofollow
	var ts [2]syscall.Timespec
	for i := range ts {
		ts[i] = syscall.Timespec{Sec: int64(p.r.IntN(1e6)), Nsec: int64(p.r.IntN(1e9))}
		if p.one(3) {
			ts[i].Nsec = []int64{syscalls.UTIME_NOW, syscalls.UTIME_OMIT, -1, 1e9}[p.r.IntN(4)]
		}
	}
	return op{fmt.Sprintf("utimensat(%d, %q, %v, %#x)", dir, path, ts, flags), func(w *world) string {
		return result(w.s.Utimensat(w.at(dir), path, &ts, flags))
	}}
}

// tree describes all that there is below the root.
func tree(s Sys) string {
	var b strings.Builder
	t := teller{s, &b, make(map[uint64]int), make([]byte, 1<<20)}
	t.describe("/")
	return b.String()
}

type teller struct {
	s    Sys
	b    *strings.Builder
	inos map[uint64]int
	buf  []byte
}

func (t *teller) describe(dir string) {
	s, b := t.s, t.b
	fd, e := s.Openat(cwd, dir, syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	if e != 0 {
		fmt.Fprintf(b, "%s: open: %s\n", dir, result(e))
		return
	}
	names, e := readNames(s, fd, 4096)
	s.Close(fd)
	if e != 0 {
		fmt.Fprintf(b, "%s: getdents: %s\n", dir, result(e))
	}
	for _, line := range names {
		name, _, _ := strings.Cut(line, " ")
		if name == "." || name == ".." || dir == "/" && name == "lost+found" {
			continue
		}
		path := dir + name
		var st syscall.Stat_t
		if e := s.Fstatat(cwd, path, &st, nofollow); e != 0 {
			fmt.Fprintf(b, "%s: lstat: %s\n", path, result(e))
			continue
		}
		id, known := t.inos[st.Ino]
		if !known {
			id = len(t.inos)
			t.inos[st.Ino] = id
		}
		fmt.Fprintf(b, "%s: #%d %s %s %s\n", path, id, describe(&st), t.contents(path, st.Mode), xattrNames(s, path, true))
		if st.Mode&syscall.S_IFMT == syscall.S_IFDIR {
			t.describe(path + "/")
		}
	}
}

// contents describes what is in a file or link.
func (t *teller) contents(path string, mode uint32) string {
	s, buf := t.s, t.buf
	switch mode & syscall.S_IFMT {
	case syscall.S_IFLNK:
		n, e := s.Readlinkat(cwd, path, buf)
		if e != 0 {
			return result(e)
		}
		return "→ " + string(buf[:n])
	case syscall.S_IFREG:
		fd, e := s.Openat(cwd, path, syscall.O_RDONLY, 0)
		if e != 0 {
			return result(e)
		}
		defer s.Close(fd)
		n, e := s.Read(fd, buf)
		if e != 0 {
			return result(e)
		}
		return sum(buf[:n])
	}
	return ""
}
