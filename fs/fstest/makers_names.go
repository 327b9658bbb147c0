package fstest

import (
	"fmt"
	"syscall"

	"github.com/yolkos/yolk/syscalls"
)

func mkdir(p *player) op {
	path, mode := p.dirPath(), p.mode()
	dir := p.at(path)
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
	path, mode := p.path(), kinds[p.r.IntN(len(kinds))]|p.mode()
	dir := p.at(path)
	return op{fmt.Sprintf("mknodat(%d, %q, %o)", dir, path, mode), func(w *world) string {
		return result(w.s.Mknodat(w.at(dir), path, mode, 0))
	}}
}

func unlink(p *player) op {
	path := p.path()
	dir := p.at(path)
	return op{fmt.Sprintf("unlinkat(%d, %q, 0)", dir, path), func(w *world) string {
		return result(w.s.Unlinkat(w.at(dir), path, 0))
	}}
}

func remove(p *player) op {
	path := p.dirPath()
	dir := p.at(path)
	p.now.leave = true
	return op{fmt.Sprintf("unlinkat(%d, %q, AT_REMOVEDIR)", dir, path), func(w *world) string {
		return result(w.s.Unlinkat(w.at(dir), path, rmdir))
	}}
}

func rename(p *player) op {
	path, path2, flags := p.path(), p.path(), uint32(0)
	if p.one(2) {
		path, path2 = p.dirPath(), p.dirPath()
	}
	if p.one(3) {
		flags = []uint32{noReplace, exchange, exchange, noReplace | exchange}[p.r.IntN(4)]
	}
	dir, dir2 := p.at(path), p.at(path2)
	p.now.leave = true
	return op{fmt.Sprintf("renameat2(%d, %q, %d, %q, %d)", dir, path, dir2, path2, flags), func(w *world) string {
		return result(w.s.Renameat2(w.at(dir), path, w.at2(dir2), path2, flags))
	}}
}

func link(p *player) op {
	path, path2, flags := p.path(), p.path(), p.r.IntN(2)*syscalls.AT_SYMLINK_FOLLOW
	dir, dir2 := p.at(path), p.at(path2)
	return op{fmt.Sprintf("linkat(%d, %q, %d, %q, %#x)", dir, path, dir2, path2, flags), func(w *world) string {
		return result(w.s.Linkat(w.at(dir), path, w.at2(dir2), path2, flags))
	}}
}

func symlink(p *player) op {
	target, path := p.path(), p.path()
	if p.one(2) {
		target = p.dirPath()
	}
	dir := p.at(path)
	return op{fmt.Sprintf("symlinkat(%q, %d, %q)", target, dir, path), func(w *world) string {
		return result(w.s.Symlinkat(target, w.at(dir), path))
	}}
}

func readlink(p *player) op {
	path, n := p.path(), p.r.IntN(20)
	dir := p.at(path)
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
	path, mode := p.path(), p.mode()
	dir := p.at(path)
	return op{fmt.Sprintf("fchmodat(%d, %q, %o)", dir, path, mode), func(w *world) string {
		return result(w.s.Fchmodat(w.at(dir), path, mode, 0))
	}}
}

func fchmod(p *player) op {
	i, mode := p.fd(), p.mode()
	return op{fmt.Sprintf("fchmod(%d, %o)", i, mode), func(w *world) string {
		return result(w.s.Fchmod(w.fds[i], mode))
	}}
}

func chown(p *player) op {
	path, flags := p.path(), p.r.IntN(2)*nofollow
	dir := p.at(path)
	uid, gid := p.r.IntN(4)-1, p.r.IntN(4)-1
	return op{fmt.Sprintf("fchownat(%d, %q, %d, %d, %#x)", dir, path, uid, gid, flags), func(w *world) string {
		return result(w.s.Fchownat(w.at(dir), path, uid, gid, flags))
	}}
}

func utimens(p *player) op {
	path, flags := p.path(), p.r.IntN(2)*nofollow
	dir := p.at(path)
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
