package syscalls

import (
	"slices"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// mapping is a range of addresses with one thing behind it. Without a file that is
// new memory, which only mem knows. Both ends move when a part is unmapped, and
// what is left may be two mappings.
type mapping struct {
	maps      *mappings
	mem       Memory
	direct    fs.Mapping // the file's own memory, else nil
	desc      *desc      // of the file, with a reference, else nil
	file      *mappedFile
	shared    bool
	noReserve bool

	// Who changes this has maps.change, file.mu if there is a file, and maps.mu; each
	// is enough to read it.
	data []byte // whole pages
	off  int64  // of the file
	// protections, each from its first page on; they begin with that of page 0.
	protections []protection
	ended       bool // its addresses may be another's
	// Guarded by file.mu:
	filled bool          // pages were put there once
	stores bool          // they could be written once, and are shared
	own    map[int]*Page // pages that only this mapping has: it is private
}

type protection struct {
	first int // page of the mapping
	prot  int
}

// lock locks m's file.
func (m *mapping) lock() (unlock func()) {
	if m.file == nil {
		return func() {}
	}
	m.file.mu.Lock()
	return m.file.mu.Unlock
}

// start and end are m's addresses.
func (m *mapping) start() uintptr { return address(m.data) }
func (m *mapping) end() uintptr   { return address(m.data) + uintptr(len(m.data)) }

// pageCount is how many pages m has.
func (m *mapping) pageCount() int { return len(m.data) / pageSize }

// at is the addresses of the pages first to last, which is left out.
func (m *mapping) at(first, last int) []byte { return m.data[first*pageSize : last*pageSize] }

// pagesBetween are the numbers of the pages of m that lie between two addresses.
func (m *mapping) pagesBetween(start, end uintptr) (first, last int) {
	start, end = max(start, m.start()), min(end, m.end())
	return int(start-m.start()) / pageSize, int(end-m.start()) / pageSize
}

// open has m, of a file, which is in the list, show its pages.
func (m *mapping) open() syscall.Errno {
	unlock := m.lock()
	defer unlock()
	if m.ended {
		return 0 // by another goroutine; m.desc may be gone
	}
	e := m.file.look(m.desc.file)
	if e == 0 && m.shared && m.protections[0].prot&protWrite != 0 {
		_, e = m.file.writer() // or there will be none
	}
	if e == 0 {
		e = m.fill(0, m.pageCount())
	}
	return e
}

// take takes m's pages away, whose addresses are free then. It is no longer in the
// list; finish follows.
func (m *mapping) take() {
	unlock := m.lock()
	defer unlock()
	m.ended = true
	m.unmap(0, m.pageCount())
}

// finish writes back what was stored, and lets go of everything.
func (m *mapping) finish() (e syscall.Errno) {
	f := m.file
	if f == nil {
		return 0
	}
	unlock := m.lock()
	if m.stores {
		e = f.flush(m.off, m.off+int64(len(m.data)))
	}
	f.users = slices.DeleteFunc(f.users, func(o *mapping) bool { return o == m })
	f.drop(m)
	m.maps.give(len(m.own))
	m.own = nil
	unlock()
	m.maps.close(f)
	m.desc.put()
	return e
}

// split leaves m what lies before an address in it, and returns the rest, which is
// a mapping of its own in the list.
func (m *mapping) split(at uintptr) *mapping {
	unlock := m.lock()
	defer unlock()
	n, page := *m, int(at-m.start())/pageSize
	n.data = m.data[page*pageSize:]
	n.off += int64(page) * pageSize
	var front []protection
	n.protections = nil
	for i, p := range m.protections {
		if p.first < page {
			front = append(front, p)
		}
		if i+1 == len(m.protections) || m.protections[i+1].first > page {
			n.protections = append(n.protections, protection{max(0, p.first-page), p.prot})
		}
	}
	n.own = nil
	for i, p := range m.own {
		if i >= page {
			n.setOwn(i-page, p)
			delete(m.own, i)
		}
	}
	if m.file != nil {
		n.desc.refs.Add(1)
		m.maps.ref(m.file)
		m.file.users = append(m.file.users, &n)
	}
	l := m.maps
	l.mu.Lock()
	defer l.mu.Unlock()
	m.data, m.protections = m.data[:page*pageSize:page*pageSize], front
	l.insert(&n)
	return &n
}

// set changes where m lies and its protections.
func (m *mapping) set(data []byte, protections []protection) {
	m.maps.mu.Lock()
	defer m.maps.mu.Unlock()
	m.data, m.protections = data, protections
}

// setOwn makes p the own page i of m.
func (m *mapping) setOwn(i int, p *Page) {
	if m.own == nil {
		m.own = make(map[int]*Page)
	}
	m.own[i] = p
}

// join adds n, which begins where m ends, to m, if both are the same but for
// protections, and takes n out of the list. Files and shared memory are left alone.
func (m *mapping) join(n *mapping) bool {
	if m.file != nil || n.file != nil || m.direct != nil || n.direct != nil || m.shared || n.shared ||
		m.noReserve != n.noReserve || m.end() != n.start() {
		return false
	}
	page, list := m.pageCount(), slices.Clip(m.protections)
	for _, p := range n.protections {
		if p.first > 0 || p.prot != list[len(list)-1].prot {
			list = append(list, protection{page + p.first, p.prot})
		}
	}
	l := m.maps
	l.mu.Lock()
	defer l.mu.Unlock()
	m.data, m.protections = bytesAt(m.start(), len(m.data)+len(n.data)), list
	l.drop(n)
	return true
}

// unmap takes away what is at the pages first to last; m is locked. It fails only
// where there is no memory for the tables around a hole, for which spare pages are
// kept.
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
	m.set(m.data, list)
}

// fill puts pages at first to last as their protections say, as far as they lie
// in the file; m is locked.
func (m *mapping) fill(first, last int) syscall.Errno {
	if m.ended {
		return 0
	}
	if m.file == nil {
		return m.spans(first, last, func(first, last, prot int) syscall.Errno {
			return errno(m.mem.Protect(m.at(first, last), prot))
		})
	}
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
		if m.shared || !write {
			m.stores = m.stores || write
			e = m.file.load(m.filePage(first), m.filePage(last))
		} else {
			e = m.fillOwn(first, last)
		}
		if e != 0 {
			return e
		}
		return m.show(first, last, prot)
	})
}

// fillOwn makes pages of m's own where there are none, with what the file has there;
// m is locked.
func (m *mapping) fillOwn(first, last int) syscall.Errno {
	return runs(first, last, func(i int) bool { return m.own[i] == nil }, func(at, n int) syscall.Errno {
		if !m.maps.want(n) {
			return syscall.ENOMEM
		}
		pages := m.mem.Pages(n)
		if _, err := m.file.readAt(m.desc.file, pages, m.filePage(at)*pageSize); err != nil {
			m.maps.give(n)
			return errno(err)
		}
		for i := range n {
			m.setOwn(at+i, (*Page)(pages[i*pageSize:]))
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
func (m *mapping) show(first, last, prot int) syscall.Errno {
	page := func(i int) *Page {
		if p := m.own[i]; p != nil {
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
		return errno(m.mem.Map(m.at(at, at+n), list, prot))
	})
}

// cut takes away what m has from a page of the file on, its own pages too;
// m.file is locked.
func (m *mapping) cut(page int64) {
	n := m.pageCount()
	first := int(max(0, min(int64(n), page-m.off/pageSize)))
	if first == n || m.ended {
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

// dropOwn takes the own pages of first to last away, so that the file's show
// again; m is locked.
func (m *mapping) dropOwn(first, last int) syscall.Errno {
	if m.own == nil {
		return 0
	}
	m.unmap(first, last)
	for i := range m.own {
		if first <= i && i < last {
			delete(m.own, i)
			m.maps.give(1)
		}
	}
	return m.fill(first, last)
}

// allows tells if what lies between two addresses in m may be read, or written.
func (m *mapping) allows(start, end uintptr, write bool) bool {
	if m.direct != nil {
		return true
	}
	if m.file == nil {
		m.maps.mu.Lock()
		defer m.maps.mu.Unlock()
	}
	unlock := m.lock()
	defer unlock()
	first, last := m.pagesBetween(start, end+pageSize-1)
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
