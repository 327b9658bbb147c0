package fstest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"
)

// MapSys is a system whose files can be mapped.
type MapSys interface {
	Sys
	Mmap(addr uintptr, length, prot, flags, fd int, off int64) (uintptr, syscall.Errno)
	Munmap(addr uintptr, length int) syscall.Errno
	Msync(addr uintptr, length, flags int) syscall.Errno
	Mprotect(addr uintptr, length, prot int) syscall.Errno
	Fsync(fd int) syscall.Errno
}

// MapConfig is a play of RandomMaps.
type MapConfig struct {
	Seed  uint64
	Steps int
	// NoAppend leaves out O_APPEND: mapped, such a file is opened once more, and
	// servers that go by names cannot do that when it has none.
	NoAppend bool
	Dirs     [2]string // of the systems, with a slash behind it
}

const (
	mapPage  = 4096
	mapSpan  = 12 * mapPage // files end before it
	mapFiles = 3
	maxMaps  = 8

	protRead, protWrite   = 1, 2
	mapShared, mapPrivate = 1, 2
)

// mapWorld is one of the two systems.
type mapWorld struct {
	s    MapSys
	dir  string
	fds  []int
	maps [][]byte
}

// aMap is what is known of a mapping in both.
type aMap struct {
	fd    int // an own one of its file; it ends with the mapping
	off   int64
	pages int
	prot  int
	kind  int
}

// mapPlayer makes the operations.
type mapPlayer struct {
	t      testing.TB
	r      *rand.Rand
	worlds [2]*mapWorld
	flags  []int // of fds
	maps   []aMap
	did    string
}

// RandomMaps plays random operations on mapped files of a and b, and compares after each what the mappings and the files have. What
// Linux leaves open is not asked: bytes stored behind the end of a file, and
// pages of a private mapping that it has not stored to when the file changes.
func RandomMaps(t testing.TB, a, b MapSys, c MapConfig) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	p := &mapPlayer{t: t, r: rand.New(rand.NewPCG(c.Seed, 0))}
	p.worlds = [2]*mapWorld{{s: a, dir: c.Dirs[0]}, {s: b, dir: c.Dirs[1]}}
	for i := range mapFiles {
		p.open(p.name(i), rdwr|creat)
		p.write()
	}
	for step := range c.Steps {
		p.step(c)
		p.compare()
		if t.Failed() {
			t.Fatalf("behind step %d, %s", step, p.did)
		}
	}
	for len(p.maps) > 0 {
		p.munmap(0)
	}
	for len(p.flags) > 0 {
		p.close(0)
	}
	for i := range mapFiles {
		p.open(p.name(i), rdwr|creat)
	}
	p.compare()
}

func (p *mapPlayer) name(i int) string { return fmt.Sprintf("mapped%d", i) }

// both runs f in both worlds, which must give the same.
func (p *mapPlayer) both(did string, f func(w *mapWorld) string) string {
	p.did = did
	a, b := f(p.worlds[0]), f(p.worlds[1])
	if a != b {
		p.t.Fatalf("%s: %s and %s", did, a, b)
	}
	return a
}

func (p *mapPlayer) open(name string, flags int) {
	got := p.both(fmt.Sprintf("open(%s, %#x)", name, flags), func(w *mapWorld) string {
		fd, e := w.s.Openat(cwd, w.dir+name, flags, 0o600)
		if e == 0 {
			w.fds = append(w.fds, fd)
		}
		return result(e)
	})
	if got == result(0) {
		p.flags = append(p.flags, flags)
	}
}

func (p *mapPlayer) close(i int) {
	p.both(fmt.Sprintf("close(%d)", i), func(w *mapWorld) string {
		e := w.s.Close(w.fds[i])
		w.fds = append(w.fds[:i:i], w.fds[i+1:]...)
		return result(e)
	})
	p.flags = append(p.flags[:i:i], p.flags[i+1:]...)
}

// fd is one of the open files that may be written, or any.
func (p *mapPlayer) fd(write bool) int {
	for range 100 {
		i := p.r.IntN(len(p.flags))
		if !write || p.flags[i]&syscall.O_ACCMODE == rdwr {
			return i
		}
	}
	p.open(p.name(0), rdwr|creat)
	return len(p.flags) - 1
}

func (p *mapPlayer) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + p.r.IntN(26))
	}
	return b
}

func (p *mapPlayer) offset() int64 {
	if p.r.IntN(3) == 0 {
		return int64(p.r.IntN(mapSpan/mapPage) * mapPage)
	}
	return int64(p.r.IntN(mapSpan - 1))
}

func (p *mapPlayer) length(off int64) int {
	n := 1 + p.r.IntN(3*mapPage)
	if p.r.IntN(2) == 0 {
		n = 1 + p.r.IntN(100)
	}
	return int(min(int64(n), mapSpan-off))
}

func (p *mapPlayer) write() {
	i, off := p.fd(true), p.offset()
	data := p.bytes(p.length(off))
	if p.flags[i]&syscall.O_APPEND != 0 && p.size(p.worlds[0], p.worlds[0].fds[i])+int64(len(data)) > mapSpan {
		return
	}
	p.both(fmt.Sprintf("pwrite(%d, %d bytes, %d)", i, len(data), off), func(w *mapWorld) string {
		return resultN(w.s.Pwrite(w.fds[i], data, off))
	})
}

// size is that of an open file.
func (p *mapPlayer) size(w *mapWorld, fd int) int64 {
	var st syscall.Stat_t
	if e := w.s.Fstat(fd, &st); e != 0 {
		p.t.Errorf("fstat: %v", e)
	}
	return st.Size
}

// inFile is how many bytes of a mapping lie in its file, and in whole pages.
func (p *mapPlayer) inFile(w *mapWorld, i int) (bytes, pages int) {
	m := p.maps[i]
	n := int(max(0, min(int64(m.pages*mapPage), p.size(w, m.fdIn(p, w))-m.off)))
	return n, (n + mapPage - 1) &^ (mapPage - 1)
}

// fdIn is the mapping's descriptor in w.
func (m aMap) fdIn(_ *mapPlayer, w *mapWorld) int { return w.fds[m.fd] }

func (p *mapPlayer) step(c MapConfig) {
	switch op := p.r.IntN(100); {
	case op < 8 && len(p.flags) > maxMaps+mapFiles:
	case op < 8 && c.NoAppend:
		p.open(p.name(p.r.IntN(mapFiles)), []int{syscall.O_RDONLY, rdwr | creat, rdwr | creat | syscall.O_TRUNC}[p.r.IntN(3)])
	case op < 8:
		flags := []int{syscall.O_RDONLY, rdwr | creat, rdwr | creat, rdwr | creat | syscall.O_TRUNC, rdwr | syscall.O_APPEND | creat}[p.r.IntN(5)]
		p.open(p.name(p.r.IntN(mapFiles)), flags)
	case op < 14:
		if i := p.r.IntN(len(p.flags)); len(p.flags) > mapFiles && !p.keeps(i) {
			p.drop(i)
		}
	case op < 26:
		p.write()
	case op < 34:
		p.read()
	case op < 42:
		i, size := p.fd(true), p.offset()
		p.both(fmt.Sprintf("ftruncate(%d, %d)", i, size), func(w *mapWorld) string { return result(w.s.Ftruncate(w.fds[i], size)) })
	case op < 46:
		name, size := p.name(p.r.IntN(mapFiles)), p.offset()
		p.both(fmt.Sprintf("truncate(%s, %d)", name, size), func(w *mapWorld) string { return result(w.s.Truncate(w.dir+name, size)) })
	case op < 50:
		i, off, mode := p.fd(true), p.offset(), []uint32{0, 3, 1}[p.r.IntN(3)]
		n := int64(p.length(off))
		p.both(fmt.Sprintf("fallocate(%d, %d, %d, %d)", i, mode, off, n), func(w *mapWorld) string { return result(w.s.Fallocate(w.fds[i], mode, off, n)) })
	case op < 54:
		p.copyRange()
	case op < 56:
		a, b := p.name(p.r.IntN(mapFiles)), p.name(p.r.IntN(mapFiles))
		p.both(fmt.Sprintf("rename(%s, %s)", a, b), func(w *mapWorld) string { return result(w.s.Renameat2(cwd, w.dir+a, cwd, w.dir+b, 0)) })
		p.open(a, rdwr|creat)
	case op < 57:
		name := p.name(p.r.IntN(mapFiles))
		p.both("unlink "+name, func(w *mapWorld) string { return result(w.s.Unlinkat(cwd, w.dir+name, 0)) })
		p.open(name, rdwr|creat)
	case op < 66 && len(p.maps) < maxMaps:
		p.mmap()
	case len(p.maps) == 0:
	case op < 70:
		p.munmap(p.r.IntN(len(p.maps)))
	case op < 90:
		p.store()
	case op < 96:
		p.msync()
	default:
		i := p.r.IntN(len(p.maps))
		if p.maps[i].kind == mapShared {
			prot := []int{0, protRead, protRead | protWrite}[p.r.IntN(3)]
			got := p.both(fmt.Sprintf("mprotect(map %d, %d)", i, prot), func(w *mapWorld) string { return result(w.s.Mprotect(where(w.maps[i]), len(w.maps[i]), prot)) })
			if got == result(0) {
				p.maps[i].prot = prot
			}
		}
	}
}

// keeps tells if a mapping looks at its size by that descriptor.
func (p *mapPlayer) keeps(fd int) bool {
	for _, m := range p.maps {
		if m.fd == fd {
			return true
		}
	}
	return false
}

// drop closes a descriptor that no mapping needs.
func (p *mapPlayer) drop(i int) {
	p.close(i)
	for j := range p.maps {
		if p.maps[j].fd > i {
			p.maps[j].fd--
		}
	}
}

func (p *mapPlayer) read() {
	i, off := p.fd(false), p.offset()
	n := p.length(off)
	p.both(fmt.Sprintf("pread(%d, %d bytes, %d)", i, n, off), func(w *mapWorld) string {
		b := make([]byte, n)
		got, e := w.s.Pread(w.fds[i], b, off)
		return fmt.Sprintf("%s %q", resultN(got, e), b[:max(got, 0)])
	})
}

func (p *mapPlayer) copyRange() {
	i, j, from, to := p.fd(false), p.fd(true), p.offset(), p.offset()
	n := int(min(int64(p.length(from)), mapSpan-to))
	if from < to+int64(n) && to < from+int64(n) {
		return // the same file may be meant
	}
	p.both(fmt.Sprintf("copy_file_range(%d, %d, %d, %d, %d)", i, from, j, to, n), func(w *mapWorld) string {
		from, to := from, to
		return resultN(w.s.CopyFileRange(w.fds[i], &from, w.fds[j], &to, n, 0))
	})
}

// bytesAt are the n bytes at an address that mmap has returned; where is the way back.
func bytesAt(at uintptr, n int) []byte { return unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), n) }

func where(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

func (p *mapPlayer) mmap() {
	m := aMap{
		fd: p.fd(false), off: int64(p.r.IntN(mapSpan/mapPage) * mapPage), pages: 1 + p.r.IntN(6),
		prot: protRead | p.r.IntN(2)*protWrite, kind: 1 + p.r.IntN(2),
	}
	got := p.both(fmt.Sprintf("mmap(%+v)", m), func(w *mapWorld) string {
		at, e := w.s.Mmap(0, m.pages*mapPage, m.prot, m.kind, w.fds[m.fd], m.off)
		if e == 0 {
			w.maps = append(w.maps, bytesAt(at, m.pages*mapPage))
		}
		return result(e)
	})
	if got == result(0) {
		p.maps = append(p.maps, m)
	}
}

func (p *mapPlayer) munmap(i int) {
	p.both(fmt.Sprintf("munmap(map %d)", i), func(w *mapWorld) string {
		e := w.s.Munmap(where(w.maps[i]), len(w.maps[i]))
		w.maps = append(w.maps[:i:i], w.maps[i+1:]...)
		return result(e)
	})
	p.maps = append(p.maps[:i:i], p.maps[i+1:]...)
}

// store writes into a mapping, or finds that it faults.
func (p *mapPlayer) store() {
	i := p.r.IntN(len(p.maps))
	m := p.maps[i]
	in, pages := p.inFile(p.worlds[0], i)
	at := p.r.IntN(m.pages * mapPage)
	if at >= in && at < pages {
		return // behind the end, in its page
	}
	data := p.bytes(1)
	if at < in {
		data = p.bytes(min(p.length(0), in-at))
	}
	p.both(fmt.Sprintf("store %d bytes at %d of map %d, which has %d", len(data), at, i, in), func(w *mapWorld) string {
		return touch(func() { copy(w.maps[i][at:], data) })
	})
}

// touch runs f and tells if it faulted.
func touch(f func()) (how string) {
	defer func() {
		if recover() != nil {
			how = "fault"
		}
	}()
	f()
	return "done"
}

func (p *mapPlayer) msync() {
	i := p.r.IntN(len(p.maps))
	from := p.r.IntN(p.maps[i].pages) * mapPage
	to := from + 1 + p.r.IntN(p.maps[i].pages*mapPage-from)
	flags := []int{1, 4, 4 | 2, 0}[p.r.IntN(4)] // MS_ASYNC, MS_SYNC, with MS_INVALIDATE
	p.both(fmt.Sprintf("msync(map %d [%d:%d], %d)", i, from, to, flags), func(w *mapWorld) string {
		return result(w.s.Msync(where(w.maps[i])+uintptr(from), to-from, flags))
	})
}

// compare compares all that can be seen.
func (p *mapPlayer) compare() {
	did := p.did
	for i, m := range p.maps {
		if m.kind == mapPrivate && m.prot&protWrite != 0 {
			// From here on Linux, too, has a copy.
			for _, w := range p.worlds {
				_, pages := p.inFile(w, i)
				for at := 0; at < pages; at += mapPage {
					w.maps[i][at]++
					w.maps[i][at]--
				}
			}
		}
	}
	for i, m := range p.maps {
		_, pages := p.inFile(p.worlds[0], i)
		a, b := p.worlds[0].maps[i], p.worlds[1].maps[i]
		if m.prot != 0 && !bytes.Equal(a[:pages], b[:pages]) {
			p.t.Errorf("map %d %+v: %s", i, m, different(a[:pages], b[:pages]))
		}
		if pages < len(a) {
			p.both(fmt.Sprintf("touch the page behind the end in map %d", i), func(w *mapWorld) string {
				return touch(func() { mapSink += w.maps[i][pages] })
			})
		}
	}
	for i := range p.flags {
		var got [2][]byte
		for j, w := range p.worlds {
			got[j] = make([]byte, mapSpan+1)
			n, e := w.s.Pread(w.fds[i], got[j], 0)
			if e != 0 {
				p.t.Errorf("read %d: %v", i, e)
			}
			got[j] = got[j][:max(n, 0)]
		}
		if !bytes.Equal(got[0], got[1]) {
			p.t.Errorf("file %d: %s", i, different(got[0], got[1]))
		}
	}
	p.did = did
}

var mapSink byte // for loads that count

// different says where a and b are not the same.
func different(a, b []byte) string {
	if len(a) != len(b) {
		return fmt.Sprintf("%d and %d bytes", len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			return fmt.Sprintf("at %d %q and %q", i, a[i:min(len(a), i+10)], b[i:min(len(a), i+10)])
		}
	}
	return "the same"
}
