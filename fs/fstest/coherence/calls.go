package coherence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
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
		w.data[f] = append(w.data[f], touch{access{at, id, by}, off, off + int64(n), nil})
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
		w.data[f] = append(w.data[f], touch{access{at, 0, by}, off, off + int64(n&^7), b})
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
		return must(e)
	})
}

// zeroed records that the bytes from off to end are 0 now.
func (p *play) zeroed(f int, off, end int64, at interval, by string) {
	p.data[f] = append(p.data[f], touch{access{at, 0, by}, off, end, nil})
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
	p.zeroed(f, size, 1<<62, at, by)
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

// replace makes a file of the worker's own and puts it in the place of another.
func (w *worker) replace() {
	own, id := fmt.Sprint("own", w.number), w.ids.Add(1)
	fd := -1
	w.call("creat("+own+")", func() (e syscall.Errno) {
		fd, e = w.sys.Openat(cwd, w.path("%s", own), syscall.O_CREAT|syscall.O_EXCL|syscall.O_WRONLY, 0o644)
		return e
	}, func(at interval, by string, e syscall.Errno) error {
		r := w.name(own)
		r.writes = append(r.writes, access{at, id, by})
		return must(e)
	})
	if n, e := w.sys.Write(fd, stamp(id, 16)); n != 16 || e != 0 {
		w.fail("worker %d: write to %s: %d, %v", w.number, own, n, e)
	}
	w.sys.Close(fd)
	target := fmt.Sprint("target", w.r.IntN(targets))
	w.call(fmt.Sprintf("rename(%s, %s) of %#x", own, target, id), func() syscall.Errno {
		return w.sys.Renameat2(cwd, w.path("%s", own), cwd, w.path("%s", target), 0)
	}, func(at interval, by string, e syscall.Errno) error {
		from, to := w.name(own), w.name(target)
		from.writes = append(from.writes, access{at, 0, by})
		to.writes = append(to.writes, access{at, id, by})
		return must(e)
	})
}

// readTarget opens a target, which is whole, whoever replaces it.
func (w *worker) readTarget(i int) {
	name, fd := fmt.Sprint("target", i), -1
	var opened access
	w.call("open("+name+")", func() (e syscall.Errno) {
		fd, e = w.sys.Openat(cwd, w.path("%s", name), syscall.O_RDONLY, 0)
		return e
	}, func(at interval, by string, e syscall.Errno) error {
		opened = access{at, 0, by}
		if e == syscall.ENOENT {
			return nil
		}
		return must(e)
	})
	if fd >= 0 {
		b := make([]byte, 32)
		n, e := w.sys.Read(fd, b)
		w.sys.Close(fd)
		opened.value = binary.LittleEndian.Uint64(b)
		if e != 0 || n != 16 || opened.value != binary.LittleEndian.Uint64(b[8:]) {
			w.fail("worker %d: read of %s, opened by %v: %d bytes, %v: %x; want two equal numbers", w.number, name, opened, n, e, b[:max(n, 0)])
		}
	}
	w.mu.Lock()
	w.name(name).reads = append(w.name(name).reads, opened)
	w.mu.Unlock()
}

// lock makes a file that must not exist.
func (w *worker) lock() {
	name, id := fmt.Sprint("lock", w.r.IntN(locks)), w.ids.Add(1)
	w.call("open("+name+", O_EXCL)", func() syscall.Errno {
		fd, e := w.sys.Openat(cwd, w.path("%s", name), syscall.O_CREAT|syscall.O_EXCL|syscall.O_WRONLY, 0o644)
		if e == 0 {
			w.sys.Close(fd)
		}
		return e
	}, func(at interval, by string, e syscall.Errno) error {
		r := w.name(name)
		switch e {
		case 0:
			r.reads = append(r.reads, access{at, 0, by})
			r.writes = append(r.writes, access{at, id, by})
		case syscall.EEXIST:
			r.reads = append(r.reads, access{at, anyValue, by})
		default:
			return e
		}
		return nil
	})
}

func (w *worker) unlock() {
	name := fmt.Sprint("lock", w.r.IntN(locks))
	w.call("unlink("+name+")", func() syscall.Errno {
		return w.sys.Unlinkat(cwd, w.path("%s", name), 0)
	}, func(at interval, by string, e syscall.Errno) error {
		r := w.name(name)
		switch e {
		case 0:
			r.reads = append(r.reads, access{at, anyValue, by})
			r.writes = append(r.writes, access{at, 0, by})
		case syscall.ENOENT:
			r.reads = append(r.reads, access{at, 0, by})
		default:
			return e
		}
		return nil
	})
}

// find looks whether a name is there.
func (w *worker) find() {
	name := fmt.Sprint([]string{"lock", "target", "own", "keep"}[w.r.IntN(4)], w.r.IntN(2))
	var st syscall.Stat_t
	w.call("stat("+name+")", func() syscall.Errno {
		return w.sys.Fstatat(cwd, w.path("%s", name), &st, 0)
	}, func(at interval, by string, e syscall.Errno) error {
		return w.there(name, at, by, e)
	})
}

// there records that a name was found if e is 0, or missed.
func (p *play) there(name string, at interval, by string, e syscall.Errno) error {
	r := p.name(name)
	switch e {
	case 0:
		r.reads = append(r.reads, access{at, anyValue, by})
	case syscall.ENOENT:
		r.reads = append(r.reads, access{at, 0, by})
	default:
		return e
	}
	return nil
}

// list lists the directory with a buffer of size bytes.
func (w *worker) list(size int) {
	found := map[string]int{}
	w.call("list", func() syscall.Errno {
		fd, e := w.sys.Openat(cwd, w.path("."), syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
		if e != 0 {
			return e
		}
		defer w.sys.Close(fd)
		buf := make([]byte, max(size, 300))
		for {
			n, e := w.sys.ReadDirent(fd, buf)
			if n <= 0 || e != 0 {
				return e
			}
			for _, name := range direntNames(buf[:n]) {
				found[name]++
			}
		}
	}, func(at interval, by string, e syscall.Errno) error {
		if e != 0 {
			return e
		}
		all := []string{"data0", "data1", logName}
		for i := range keeps {
			all = append(all, fmt.Sprint("keep", i))
		}
		for _, name := range all {
			if found[name] != 1 {
				return fmt.Errorf("%s was found %d times; nobody has touched it", name, found[name])
			}
		}
		for i := range max(targets, locks, w.c.Workers) {
			for _, kind := range []string{"target", "lock", "own"} {
				name, e := fmt.Sprint(kind, i), syscall.ENOENT
				if found[name] > 0 {
					e = 0
				}
				if err := w.there(name, at, by, e); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// direntNames are the names in what getdents64(2) has filled.
func direntNames(b []byte) (names []string) {
	const header = 19 // d_ino, d_off, d_reclen, d_type
	for len(b) >= header {
		n := min(int(binary.LittleEndian.Uint16(b[16:])), len(b))
		name, _, _ := strings.Cut(string(b[header:max(n, header)]), "\x00")
		names = append(names, name)
		b = b[max(n, 1):]
	}
	return names
}

// appends is a file to which calls append.
type appends struct {
	put   []piece
	found map[int64]access // by offset
	seen  []sized
	last  bool // the last read has found all
}

// piece is an append of size bytes, each eight of which are the value.
type piece struct {
	access
	size int64
}

func (w *worker) append() {
	id := w.ids.Add(1)
	b := stamp(id, 8*(1+w.r.IntN(3)))
	w.call(fmt.Sprintf("append(%d×%#x)", len(b)/8, id), func() syscall.Errno {
		n, e := w.sys.Write(w.logFD, b)
		if e == 0 && n != len(b) {
			e = syscall.EIO
		}
		return e
	}, func(at interval, by string, e syscall.Errno) error {
		w.log.put = append(w.log.put, piece{access{at, id, by}, int64(len(b))})
		return must(e)
	})
}

func (w *worker) readLog() {
	b := make([]byte, 64<<10)
	n := 0
	w.call("pread(log)", func() (e syscall.Errno) {
		n, e = w.sys.Pread(w.logFD, b, 0)
		return e
	}, func(at interval, by string, e syscall.Errno) error {
		if e != 0 || n%8 != 0 {
			return fmt.Errorf("%d bytes, %w", n, e)
		}
		w.log.seen = append(w.log.seen, sized{interval: at, size: int64(n), by: by})
		for off := 0; off < n; off += 8 {
			if err := w.log.find(int64(off), access{at, binary.LittleEndian.Uint64(b[off:]), by}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *worker) statLog() {
	var st syscall.Stat_t
	w.call("fstat(log)", func() syscall.Errno { return w.sys.Fstat(w.logFD, &st) },
		func(at interval, by string, e syscall.Errno) error {
			w.log.seen = append(w.log.seen, sized{interval: at, size: st.Size, by: by})
			return must(e)
		})
}

// find records what was found at an offset: the same each time.
func (l *appends) find(off int64, a access) error {
	if l.found == nil {
		l.found = map[int64]access{}
	}
	old, ok := l.found[off]
	if ok && old.value != a.value {
		return fmt.Errorf("found %#x at %d, where %v has found %#x", a.value, off, old, old.value)
	}
	if !ok {
		l.found[off] = a
	}
	return nil
}

// check reports appends that are missing, torn, or out of order, and sizes
// that the file cannot have had.
func (l *appends) check() error {
	for _, s := range l.seen {
		var low, high int64
		for _, p := range l.put {
			if p.before(s.interval) {
				low += p.size
			}
			if p.start < s.end {
				high += p.size
			}
		}
		if s.size < low || s.size > high {
			return fmt.Errorf("log: %v found a size of %d; what was appended has %d to %d", s, s.size, low, high)
		}
	}
	if !l.last {
		return errors.New("log: not read at the end")
	}
	at := map[uint64]int64{} // where each begins
	for off := int64(0); off < int64(8*len(l.found)); off += 8 {
		v := l.found[off].value
		if _, ok := at[v]; !ok {
			at[v] = off
		}
	}
	for i, p := range l.put {
		off, ok := at[p.value]
		if !ok {
			return fmt.Errorf("log: what %v has appended is not there", p)
		}
		for k := off; k < off+p.size; k += 8 {
			if l.found[k].value != p.value {
				return fmt.Errorf("log: what %v has appended is torn at %d", p, k)
			}
		}
		for _, q := range l.put[:i] {
			if before, ok := at[q.value]; ok && (p.before(q.interval) && off > before || q.before(p.interval) && before > off) {
				return fmt.Errorf("log: %v and %v are in the wrong order", p, q)
			}
		}
	}
	return nil
}
