package coherence

import (
	"fmt"
	"syscall"

	"github.com/yolkos/yolk/syscalls"
)

const (
	cwd       = syscalls.AT_FDCWD
	punchHole = 3 // FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
)

// calls are what workers play, and how often.
var calls = []struct {
	weight int
	do     func(*worker)
}{
	{24, func(w *worker) { f := w.file(); w.write(f, w.fds[f]) }},
	{30, func(w *worker) {
		f := w.file()
		n := w.length()
		w.read(f, w.fds[f], w.place(f, int64(n)), make([]byte, n))
	}},
	{8, func(w *worker) { f := w.file(); w.stat(f, w.fds[f]) }},
	{4, func(w *worker) { w.stat(w.file(), -1) }},
	{4, (*worker).cut},
	{2, (*worker).punch},
	{4, (*worker).reopen},
	{8, (*worker).append},
	{6, (*worker).readLog},
	{3, (*worker).statLog},
	{8, (*worker).replace},
	{8, func(w *worker) { w.readTarget(w.r.IntN(targets)) }},
	{8, (*worker).lock},
	{6, (*worker).unlock},
	{6, (*worker).find},
	{5, func(w *worker) { w.list(200 + w.r.IntN(4000)) }},
}

func (w *worker) file() int { return w.r.IntN(dataFiles) }

// offset is one at or shortly before an edge.
func (w *worker) offset() int64 {
	if w.style == spot {
		return w.focus[0]
	}
	return max(0, w.focus[w.r.IntN(len(w.focus))]-int64(8*w.r.IntN(3)))
}

// place is an offset, or near the end of what was written last: there, or up
// to twice back bytes before.
func (w *worker) place(f int, back int64) int64 {
	if w.style == spot || w.style != growing && w.r.IntN(2) == 0 {
		return w.offset()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return max(0, w.tails[f]-back*int64(w.r.IntN(3)))
}

// length is of a few cells, of a page, or of more than a client keeps.
func (w *worker) length() int {
	switch n := w.r.IntN(10); {
	case w.style == short, w.style == spot && n > 3:
	case w.style == growing && n < 6:
		return []int{24, 4072, 4096, 8192}[w.r.IntN(4)]
	case n < 2, w.style == spot:
		return 150_000
	case n < 4:
		return 4096 * (1 + w.r.IntN(20))
	}
	return 8 * (1 + w.r.IntN(4))
}

func (w *worker) write(f, fd int) {
	off, id := w.place(f, 0), w.ids.Add(1)
	b := stamp(id, w.length())
	n := 0
	w.call(fmt.Sprintf("pwrite(data%d, %d×%#x, %d)", f, len(b)/8, id, off), func() (e syscall.Errno) {
		n, e = w.sys.Pwrite(fd, b, off)
		return e
	}, func(at interval, by string, e syscall.Errno) error {
		if e == 0 && n != len(b) {
			return fmt.Errorf("wrote %d bytes of %d", n, len(b))
		}
		w.data[f] = append(w.data[f], touch{access{at, id, by}, off, off + int64(n), nil, false})
		w.tails[f] = off + int64(n)
		w.sizes[f].grown = append(w.sizes[f].grown, sized{interval: at, size: off + int64(n), by: by})
		return must(e)
	})
}

func (w *worker) read(f, fd int, off int64, b []byte) {
	n := 0
	w.call(fmt.Sprintf("pread(data%d, %d, %d)", f, len(b), off), func() (e syscall.Errno) {
		n, e = w.sys.Pread(fd, b, off)
		return e
	}, func(at interval, by string, e syscall.Errno) error {
		if e != 0 {
			return e
		}
		w.data[f] = append(w.data[f],
			touch{access{at, 0, by}, off, off + int64(n&^7), b, false},
			touch{access{at, 0, by}, off + int64(n+7)&^7, off + int64(len(b)), nil, true})
		w.saw(f, sized{interval: at, size: off + int64(n), least: n == len(b), most: n == 0, by: by})
		return nil
	})
}

func (w *worker) saw(f int, s sized) { w.sizes[f].seen = append(w.sizes[f].seen, s) }

// stat finds the size by descriptor, or by name if fd is negative.
func (w *worker) stat(f, fd int) {
	var st syscall.Stat_t
	by, get := fmt.Sprintf("fstat(data%d)", f), func() syscall.Errno { return w.sys.Fstat(fd, &st) }
	if fd < 0 {
		by, get = fmt.Sprintf("stat(data%d)", f), func() syscall.Errno { return w.sys.Fstatat(cwd, w.path("data%d", f), &st, 0) }
	}
	w.call(by, get, func(at interval, by string, e syscall.Errno) error {
		w.saw(f, sized{interval: at, size: st.Size, by: by})
		w.data[f] = append(w.data[f], touch{access{at, 0, by}, (st.Size + 7) &^ 7, endless, nil, true})
		return must(e)
	})
}

// zeroed records that the bytes from off to end are 0 now.
func (p *play) zeroed(f int, off, end int64, at interval, by string) {
	p.data[f] = append(p.data[f], touch{access{at, 0, by}, off, end, nil, false})
}

func (w *worker) cut() {
	if w.r.IntN(w.rarely) > 0 {
		return
	}
	f := w.file()
	size := w.offset()
	by, cut := fmt.Sprintf("ftruncate(data%d, %d)", f, size), func() syscall.Errno { return w.sys.Ftruncate(w.fds[f], size) }
	if w.r.IntN(2) == 0 {
		by, cut = fmt.Sprintf("truncate(data%d, %d)", f, size), func() syscall.Errno { return w.sys.Truncate(w.path("data%d", f), size) }
	}
	w.call(by, cut, func(at interval, by string, e syscall.Errno) error {
		w.cutTo(f, size, at, by)
		return must(e)
	})
}

func (p *play) cutTo(f int, size int64, at interval, by string) {
	p.zeroed(f, size, endless, at, by)
	p.sizes[f].cut = append(p.sizes[f].cut, sized{interval: at, size: size, by: by})
}

func (w *worker) punch() {
	f, off, n := w.file(), w.offset(), int64(w.length())
	w.call(fmt.Sprintf("fallocate(data%d, hole, %d, %d)", f, off, n), func() syscall.Errno {
		return w.sys.Fallocate(w.fds[f], punchHole, off, n)
	}, func(at interval, by string, e syscall.Errno) error {
		if e == syscall.EOPNOTSUPP {
			return nil
		}
		w.zeroed(f, off, off+n, at, by)
		return must(e)
	})
}

// reopen changes the descriptor of a data file, which may cut it.
func (w *worker) reopen() {
	f := w.file()
	flags := syscall.O_RDWR
	if w.r.IntN(3*w.rarely) == 0 {
		flags |= syscall.O_TRUNC
	}
	if w.r.IntN(2) == 0 {
		flags |= syscall.O_CREAT
	}
	w.sys.Close(w.fds[f])
	w.call(fmt.Sprintf("open(data%d, %#x)", f, flags), func() (e syscall.Errno) {
		w.fds[f], e = w.sys.Openat(cwd, w.path("data%d", f), flags, 0o644)
		return e
	}, func(at interval, by string, e syscall.Errno) error {
		if flags&syscall.O_TRUNC != 0 {
			w.cutTo(f, 0, at, by)
		}
		return must(e)
	})
}
