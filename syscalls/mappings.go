package syscalls

import (
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/yolkos/yolk/fs"
)

// mappings are all mappings, by their first byte.
type mappings struct {
	mu    sync.Mutex
	all   map[*byte]*mapping
	count atomic.Int64 // of copies of files, to be looked at without mu
	bytes int64        // that copies and anonymous memory take
}

// mapping is one mapping.
type mapping struct {
	data   []byte
	room   int64      // bytes that it takes of the heap
	direct fs.Mapping // the file's own memory, else nil
	file   *desc      // of which this is a copy, with a reference; else nil
	off    int64
	shadow []byte // of a shared writable copy: the file's contents
}

// add enters m, and makes and fills its memory if it has none.
func (l *mappings) add(limit int64, m *mapping, length int, writes bool) ([]byte, syscall.Errno) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.direct == nil {
		m.room = int64(length) + pageSize
		if writes {
			m.room += int64(length)
		}
		if limit > 0 && (m.room < 0 || m.room > limit-l.bytes) {
			m.room = 0
			return nil, syscall.ENOMEM
		}
		l.bytes += m.room
		m.data = pages(length)
		if writes {
			m.shadow = make([]byte, length)
		}
	}
	m.data = m.data[:length:length]
	if m.file != nil {
		if e := m.load(); e != 0 {
			l.bytes -= m.room
			return nil, e
		}
		l.count.Add(1)
	}
	if l.all == nil {
		l.all = make(map[*byte]*mapping)
	}
	l.all[&m.data[0]] = m
	return m.data, 0
}

// pages makes n bytes that begin on a page.
func pages(n int) []byte {
	b := make([]byte, n+pageSize)
	skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (pageSize - 1)
	return b[skip : skip+n]
}

// remove takes m out; l.mu is held.
func (l *mappings) remove(m *mapping) {
	delete(l.all, &m.data[0])
	l.bytes -= m.room
	if m.file != nil {
		l.count.Add(-1)
	}
}

// load reads the file into m; what lies behind its end stays zero. The lock of
// the mappings is held, so that no write is missed.
func (m *mapping) load() syscall.Errno {
	for n := 0; n < len(m.data); {
		got, err := m.file.file.ReadAt(m.data[n:], m.off+int64(n))
		if err != nil {
			return errno(err)
		}
		if got == 0 {
			break
		}
		n += got
	}
	copy(m.shadow, m.data)
	return 0
}

// flushOne writes to the file, and to its other copies, what has been stored
// into m. Nothing is written behind the end of the file. l.mu is held.
func (l *mappings) flushOne(m *mapping) syscall.Errno {
	if m.shadow == nil {
		return 0
	}
	var a fs.Attr
	if err := m.file.file.Getattr(&a); err != nil {
		return errno(err)
	}
	end := int(max(0, min(int64(len(m.data)), a.Size-m.off)))
	for at := 0; at < end; at += pageSize {
		next := min(at+pageSize, end)
		if string(m.data[at:next]) == string(m.shadow[at:next]) {
			continue
		}
		copy(m.shadow[at:next], m.data[at:next])
		page, off := m.shadow[at:next], m.off+int64(at)
		if _, _, err := m.file.file.WriteAt(page, off); err != nil {
			return errno(err)
		}
		for _, o := range l.of(m.file.dentry.Node()) {
			if o != m {
				o.written(page, off)
			}
		}
	}
	return 0
}

// of lists the copies of the file n; l.mu is held.
func (l *mappings) of(n fs.Node) (list []*mapping) {
	for _, m := range l.all {
		if m.file != nil && m.file.dentry.Node() == n {
			list = append(list, m)
		}
	}
	return list
}

// written brings the copies of n up to date after a write at off.
func (l *mappings) written(n fs.Node, p []byte, off int64) {
	if l.count.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.of(n) {
		m.written(p, off)
	}
}

func (m *mapping) written(p []byte, off int64) {
	from, to := max(off, m.off), min(off+int64(len(p)), m.off+int64(len(m.data)))
	if from >= to {
		return
	}
	copy(m.data[from-m.off:], p[from-off:to-off])
	if m.shadow != nil {
		copy(m.shadow[from-m.off:], p[from-off:to-off])
	}
}

// reload reads n bytes of the file at off into its copies anew, after a change
// without bytes at hand.
func (l *mappings) reload(file fs.Node, off, n int64) {
	if l.count.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.of(file) {
		from, to := max(off, m.off), min(off+n, m.off+int64(len(m.data)))
		for from < to {
			got, err := m.file.file.ReadAt(m.data[from-m.off:to-m.off], from)
			if got == 0 || err != nil {
				break
			}
			if m.shadow != nil {
				copy(m.shadow[from-m.off:], m.data[from-m.off:from-m.off+int64(got)])
			}
			from += int64(got)
		}
	}
}

// resized makes zeros of what the copies of n have behind its new end.
func (l *mappings) resized(n fs.Node, size int64) {
	if l.count.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.of(n) {
		if at := max(0, size-m.off); at < int64(len(m.data)) {
			clear(m.data[at:])
			if m.shadow != nil {
				clear(m.shadow[at:])
			}
		}
	}
}

// flush writes back the copies of n, or all with a nil n.
func (l *mappings) flush(n fs.Node) (e syscall.Errno) {
	if l.count.Load() == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.all {
		if m.file != nil && (n == nil || m.file.dentry.Node() == n) {
			if err := l.flushOne(m); err != 0 {
				e = err
			}
		}
	}
	return e
}

// find is the mapping that data is in; l.mu is held.
func (l *mappings) find(data []byte) *mapping {
	if len(data) == 0 {
		return nil
	}
	if m := l.all[&data[0]]; m != nil {
		return m
	}
	at := uintptr(unsafe.Pointer(&data[0]))
	for first, m := range l.all {
		if start := uintptr(unsafe.Pointer(first)); start <= at && at-start+uintptr(len(data)) <= uintptr(len(m.data)) {
			return m
		}
	}
	return nil
}
