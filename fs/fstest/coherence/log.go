package coherence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"
)

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
