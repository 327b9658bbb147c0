package syscalls

import (
	"slices"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// mapping is one mapping. Without a file it is of new memory.
type mapping struct {
	maps   *mappings
	mem    Memory
	data   []byte     // as Mmap returned it
	direct fs.Mapping // the file's own memory, else nil
	desc   *desc      // of the file, with a reference, else nil
	file   *mappedFile
	off    int64 // of the file
	shared bool

	mu sync.Mutex // without a file, else file.mu: guards what follows
	// protections, each from its first page on; they begin with that of page 0.
	protections []protection
	ended       bool          // its addresses may be another's
	filled      bool          // pages were put there once
	stores      bool          // they could be written once, and are shared
	own         map[int]*Page // pages that only this mapping has: private or of no file
}

type protection struct {
	first int // page of the mapping
	prot  int
}

// lock locks what m is made of.
func (m *mapping) lock() (unlock func()) {
	if m.file != nil {
		m.file.mu.Lock()
		return m.file.mu.Unlock
	}
	m.mu.Lock()
	return m.mu.Unlock
}

// pageCount is how many pages m has.
func (m *mapping) pageCount() int { return (len(m.data) + pageSize - 1) / pageSize }

// at is the addresses of the pages first to last, which is left out.
func (m *mapping) at(first, last int) []byte {
	return m.data[:cap(m.data)][first*pageSize : last*pageSize]
}

// start finds addresses for m and fills them. It takes over m.desc's reference.
func (m *mapping) start(length, prot int) ([]byte, syscall.Errno) {
	n := (length + pageSize - 1) / pageSize
	room, err := m.mem.Reserve(n * pageSize)
	if err != nil {
		if m.desc != nil {
			m.desc.put()
		}
		return nil, errno(err)
	}
	m.data = room[:length]
	m.protections = []protection{{0, prot}}
	if m.desc != nil {
		m.file = m.maps.open(m.desc.dentry.Node())
	}
	unlock := m.lock()
	var e syscall.Errno
	if m.file != nil {
		m.file.users = append(m.file.users, m)
		e = m.file.look(m.desc.file)
		if e == 0 && m.shared && prot&protWrite != 0 {
			_, e = m.file.writer() // or there will be none
		}
	}
	if e == 0 {
		e = m.fill(0, n)
	}
	unlock()
	if e != 0 {
		m.end()
		return nil, e
	}
	m.maps.enter(m)
	// Who appends to the result makes a copy.
	return m.data[:length:length], 0
}

// end takes m's pages away, writes back what was stored into them, and lets go
// of everything. It is no longer among the mappings.
func (m *mapping) end() (e syscall.Errno) {
	unlock := m.lock()
	n := m.pageCount()
	m.ended = true
	m.unmap(0, n)
	if f := m.file; f != nil {
		if m.stores {
			e = f.flush(m.off, m.off+int64(n)*pageSize)
		}
		f.users = slices.DeleteFunc(f.users, func(o *mapping) bool { return o == m })
		f.drop(m)
	}
	m.maps.give(len(m.own))
	m.own = nil
	unlock()
	m.mem.Release(m.at(0, n))
	if m.file != nil {
		m.maps.close(m.file)
		m.desc.put()
	}
	return e
}

// unmap takes away what is at the pages first to last; m is locked.
func (m *mapping) unmap(first, last int) {
	m.mem.Unmap(m.at(first, last), func(i int) {
		if m.shared && m.file != nil {
			m.file.mark(m.filePage(first + i))
		}
	})
}

// filePage is the number in the file of m's page i.
func (m *mapping) filePage(i int) int64 { return m.off/pageSize + int64(i) }

// inFile is the part of the pages first to last that lies in the file.
func (m *mapping) inFile(first, last int) (int, int) {
	if m.file == nil {
		return first, last
	}
	end := pagesIn(m.file.size) - m.off/pageSize
	return first, int(max(int64(first), min(int64(last), end)))
}

// pagesIn is how many pages size bytes take.
func pagesIn(size int64) int64 { return size/pageSize + min(1, size%pageSize) }

// spans calls f for the parts of the pages first to last that have one protection.
func (m *mapping) spans(first, last int, f func(first, last, prot int) syscall.Errno) syscall.Errno {
	for i, p := range m.protections {
		end := last
		if i+1 < len(m.protections) {
			end = min(last, m.protections[i+1].first)
		}
		if from := max(first, p.first); from < end {
			if e := f(from, end, p.prot); e != 0 {
				return e
			}
		}
	}
	return 0
}

// protect notes that the pages first to last have a protection now; m is locked.
func (m *mapping) protect(first, last, prot int) {
	var list []protection
	add := func(at, p int) {
		if len(list) == 0 || list[len(list)-1].prot != p {
			list = append(list, protection{at, p})
		}
	}
	m.spans(0, first, func(at, _, p int) syscall.Errno { add(at, p); return 0 })
	add(first, prot)
	m.spans(last, m.pageCount(), func(at, _, p int) syscall.Errno { add(at, p); return 0 })
	m.protections = list
}

// fill puts pages at first to last as their protections say, as far as they lie
// in the file; m is locked.
func (m *mapping) fill(first, last int) syscall.Errno {
	first, last = m.inFile(first, last)
	return m.spans(first, last, func(first, last, prot int) syscall.Errno {
		if prot == 0 {
			if m.filled {
				m.unmap(first, last)
			}
			return 0
		}
		m.filled = true
		write := prot&protWrite != 0
		var e syscall.Errno
		switch {
		case m.file == nil:
			e = m.fillOwn(first, last, nil)
		case m.shared || !write:
			m.stores = m.stores || write
			e = m.file.load(m.filePage(first), m.filePage(last))
		default:
			e = m.fillOwn(first, last, func(p []byte, i int) error {
				clear(p)
				_, err := m.file.readAt(m.desc.file, p, m.filePage(i)*pageSize)
				return err
			})
		}
		if e != 0 {
			return e
		}
		return m.show(first, last, write)
	})
}

// fillOwn makes pages of m's own where there are none, with what read has for
// them; m is locked.
func (m *mapping) fillOwn(first, last int, read func(p []byte, i int) error) syscall.Errno {
	if m.own == nil {
		m.own = make(map[int]*Page)
	}
	return runs(first, last, func(i int) bool { return m.own[i] == nil }, func(at, n int) syscall.Errno {
		if !m.maps.want(n) {
			return syscall.ENOMEM
		}
		pages := m.mem.Pages(n)
		if read != nil {
			if err := read(pages, at); err != nil {
				m.maps.give(n)
				return errno(err)
			}
		}
		for i := range n {
			m.own[at+i] = (*Page)(pages[i*pageSize:])
		}
		return 0
	})
}

// maxRun is how many pages are made and read at once.
const maxRun = 256

// runs calls f for the runs of first to last where is holds.
func runs[T int | int64](first, last T, is func(T) bool, f func(at T, n int) syscall.Errno) syscall.Errno {
	for at := first; at < last; {
		n := T(0)
		for at+n < last && n < maxRun && is(at+n) {
			n++
		}
		if n > 0 {
			if e := f(at, int(n)); e != 0 {
				return e
			}
		}
		at += max(n, 1)
	}
	return 0
}

// show puts the pages that there are at first to last; m is locked.
func (m *mapping) show(first, last int, write bool) syscall.Errno {
	page := func(i int) *Page {
		if p := m.own[i]; p != nil || m.file == nil {
			return p
		}
		return m.file.pages[m.filePage(i)]
	}
	var list []*Page
	return runs(first, last, func(i int) bool { return page(i) != nil }, func(at, n int) syscall.Errno {
		list = list[:0]
		for i := range n {
			list = append(list, page(at+i))
		}
		return errno(m.mem.Map(m.at(at, at+n), list, write))
	})
}

// cut takes away what m has from a page of the file on, its own pages too;
// m.file is locked.
func (m *mapping) cut(page int64) {
	n := m.pageCount()
	first := int(max(0, min(int64(n), page-m.off/pageSize)))
	if first == n {
		return
	}
	m.unmap(first, n)
	for i := range m.own {
		if i >= first {
			delete(m.own, i)
			m.maps.give(1)
		}
	}
}

// allows tells if the bytes p, which lie in m, may be read, or written.
func (m *mapping) allows(p []byte, write bool) bool {
	if m.direct != nil {
		return true
	}
	unlock := m.lock()
	defer unlock()
	first := int(address(p)-address(m.data)) / pageSize
	last := int(address(p)-address(m.data)+uintptr(len(p))+pageSize-1) / pageSize
	if _, end := m.inFile(first, last); end != last {
		return false
	}
	return m.spans(first, last, func(_, _, prot int) syscall.Errno {
		if prot == 0 || write && prot&protWrite == 0 {
			return syscall.EFAULT
		}
		return 0
	}) == 0
}
