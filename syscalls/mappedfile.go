package syscalls

import (
	"maps"
	"slices"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// mappedFile is a file with mappings. Its pages are what the mappings show; a
// page that was written through one is dirty until it is with the file system.
// While there is one, calls on the file keep to this:
//
//   - what is read comes from the file system, with the dirty pages laid over it;
//   - what is written goes to the file system, and then into the pages;
//   - before anything else looks at the file's data, the dirty pages are written;
//     behind a change of size or of unknown bytes, the pages are read anew.
//
// All of them hold mu, exclusively if they change anything. A call that began
// before the file was mapped finds out when it ends (mappings.get), and has what
// it changed read anew.
type mappedFile struct {
	maps *mappings
	node fs.Node
	refs int // mappings, and calls under way; guarded by maps.mu

	mu    sync.RWMutex
	size  int64
	users []*mapping
	pages map[int64]*Page // by their number in the file
	dirty map[int64]bool
	plain fs.File // for writing where the mappings' open files append; or nil
}

// reader is a file to read by, which any mapping has; nil without mappings.
func (f *mappedFile) reader() fs.File {
	if len(f.users) == 0 {
		return nil
	}
	return f.users[0].desc.file
}

// look finds out the size; mu is held, as by all that follow.
func (f *mappedFile) look(file fs.File) syscall.Errno {
	var a fs.Attr
	if err := file.Getattr(&a); err != nil {
		return errno(err)
	}
	if a.Size != f.size {
		f.resized(a.Size)
	}
	return 0
}

// load reads the pages first to last, which lie in the file, as far as they are
// not there.
func (f *mappedFile) load(first, last int64) syscall.Errno {
	return runs(first, last, func(i int64) bool { return f.pages[i] == nil }, func(at int64, n int) syscall.Errno {
		if !f.maps.want(n) {
			return syscall.ENOMEM
		}
		mem := f.users[0].mem.Pages(n)
		if e := readFull(f.reader(), mem, at*pageSize); e != 0 {
			f.maps.give(n)
			return e
		}
		if over := (at+int64(n))*pageSize - f.size; over > 0 {
			clear(mem[int64(len(mem))-over:])
		}
		for i := range n {
			f.pages[at+int64(i)] = (*Page)(mem[i*pageSize:])
		}
		return 0
	})
}

// readFull reads p at off; what lies behind the end of the file is zero.
func readFull(file fs.File, p []byte, off int64) syscall.Errno {
	for len(p) > 0 {
		n, err := file.ReadAt(p, off)
		if err != nil {
			return errno(err)
		}
		if n == 0 {
			clear(p)
			break
		}
		p, off = p[n:], off+int64(n)
	}
	return 0
}

// reload reads the bytes from to to anew into the pages that there are. Stores
// into them meanwhile may be lost, which is right only where these bytes were
// changed by the call; with sparing none are: what differs from what the page
// had when it was clean is what somebody else has changed.
func (f *mappedFile) reload(from, to int64, sparing bool) syscall.Errno {
	to = min(to, f.size)
	if from >= to {
		return 0
	}
	first, last := f.mapped(from, to)
	return runs(first, last, func(i int64) bool { return f.pages[i] != nil }, func(at int64, n int) syscall.Errno {
		low, high := max(from, at*pageSize), min(to, (at+int64(n))*pageSize)
		buf := make([]byte, high-low)
		if !sparing {
			e := readFull(f.reader(), buf, low)
			if e == 0 {
				f.copyIn(buf, low)
			}
			return e
		}
		was := make([]byte, len(buf))
		f.parts(low, high, func(page *Page, _ int64, in, at int) { copy(was[at:], page[in:]) })
		written := f.written(at, at+int64(n))
		if e := readFull(f.reader(), buf, low); e != 0 {
			return e
		}
		f.parts(low, high, func(page *Page, i int64, in, at int) {
			for j := in; j < pageSize && at < len(buf) && !written[i]; j, at = j+1, at+1 {
				if buf[at] != was[at] {
					page[j] = buf[at]
				}
			}
		})
		return 0
	})
}

// mapped is the part of the bytes from to to that is mapped, as pages.
func (f *mappedFile) mapped(from, to int64) (first, last int64) {
	var low, high int64
	for i, m := range f.users {
		a, b := m.filePage(0), m.filePage(m.pageCount())
		if i == 0 {
			low, high = a, b
		}
		low, high = min(low, a), max(high, b)
	}
	return max(low, from/pageSize), min(high, pagesIn(to))
}

// parts calls do for the pages that there are of the bytes from to to: in is
// where these begin in the page, at where the page begins in them.
func (f *mappedFile) parts(from, to int64, do func(page *Page, i int64, in, at int)) {
	first, last := f.mapped(from, to)
	for i := first; i < last; i++ {
		if page := f.pages[i]; page != nil {
			start := i * pageSize
			do(page, i, int(max(0, from-start)), int(max(0, start-from)))
		}
	}
}

// copyIn copies p, of the file at off, into the pages that there are.
func (f *mappedFile) copyIn(p []byte, off int64) {
	f.parts(off, off+int64(len(p)), func(page *Page, _ int64, in, at int) { copy(page[in:], p[at:]) })
}

// refresh looks at the file anew, after a change of bytes that are not at hand.
func (f *mappedFile) refresh(from, to int64, sparing bool) syscall.Errno {
	file := f.reader()
	if file == nil {
		return 0
	}
	if e := f.look(file); e != 0 {
		return e
	}
	return f.reload(from, to, sparing)
}

// resized takes away what lies behind a new end of the file, and has what lies
// before it appear in the mappings. Pages for which there is no memory stay away.
func (f *mappedFile) resized(size int64) {
	old := f.size
	f.size = size
	if size > old {
		f.reload(old, min(size, pagesIn(old)*pageSize), false)
		for _, m := range f.users {
			m.fill(int(max(0, min(int64(m.pageCount()), pagesIn(old)-m.filePage(0)))), m.pageCount())
		}
		return
	}
	end := pagesIn(size)
	for _, m := range f.users {
		m.cut(end)
	}
	for i := range f.pages {
		if i >= end {
			delete(f.pages, i)
			f.maps.give(1)
		}
	}
	maps.DeleteFunc(f.dirty, func(i int64, _ bool) bool { return i >= end })
	if page := f.pages[size/pageSize]; page != nil {
		clear(page[size%pageSize:])
	}
}

// mark notes that a page was written through a mapping.
func (f *mappedFile) mark(page int64) {
	if f.pages[page] != nil {
		f.dirty[page] = true
	}
}

// stored calls mark for the pages from first to last that were written through
// a mapping, and with clear forgets it.
func (f *mappedFile) stored(first, last int64, clear bool, mark func(page int64)) {
	for _, m := range f.users {
		base := m.filePage(0)
		from, to := max(first, base), min(last, base+int64(m.pageCount()))
		if m.stores && !m.ended && from < to {
			m.mem.Stored(m.at(int(from-base), int(to-base)), clear, func(i int) { mark(from + int64(i)) })
		}
	}
}

// written are the pages of first to last that the file system does not have yet.
// It changes nothing.
func (f *mappedFile) written(first, last int64) map[int64]bool {
	var set map[int64]bool
	add := func(i int64) {
		if set == nil {
			set = make(map[int64]bool)
		}
		set[i] = true
	}
	f.stored(first, last, false, add)
	for i := range f.dirty {
		if first <= i && i < last {
			add(i)
		}
	}
	return set
}

// readAt reads p by file as it is with all that was stored.
func (f *mappedFile) readAt(file fs.File, p []byte, off int64) (int, error) {
	n, err := file.ReadAt(p, off)
	for i := range f.written(off/pageSize, pagesIn(off+int64(n))) {
		if page := f.pages[i]; page != nil {
			at := i * pageSize
			copy(p[max(0, at-off):n], page[max(0, off-at):])
		}
	}
	return n, err
}

// writeAt writes p by file.
func (f *mappedFile) writeAt(file fs.File, p []byte, off int64) (int, int64, error) {
	n, end, err := file.WriteAt(p, off)
	if n > 0 {
		if end > f.size {
			f.resized(end)
		}
		f.copyIn(p[:n], end-int64(n))
	}
	return n, end, err
}

// flush writes the dirty pages of the bytes from to to.
func (f *mappedFile) flush(from, to int64) syscall.Errno {
	first, last := f.mapped(from, to)
	f.stored(first, last, true, f.mark)
	if len(f.dirty) == 0 {
		return 0
	}
	if e := f.look(f.reader()); e != 0 { // nothing is written behind the end
		return e
	}
	list := slices.DeleteFunc(slices.Collect(maps.Keys(f.dirty)), func(i int64) bool { return i < first || i >= last })
	slices.Sort(list)
	buf := make([]byte, 0, min(len(list), maxRun)*pageSize)
	for len(list) > 0 {
		n := 0
		buf = buf[:0]
		for n < min(len(list), maxRun) && list[n] == list[0]+int64(n) {
			buf = append(buf, f.pages[list[n]][:]...)
			n++
		}
		at := list[0] * pageSize
		if e := f.writeBack(buf[:min(int64(len(buf)), f.size-at)], at); e != 0 {
			return e
		}
		for _, i := range list[:n] {
			delete(f.dirty, i)
		}
		list = list[n:]
	}
	return 0
}

// writer is a file to write back by: one that a mapping has, unless all append,
// else one that is opened for it.
func (f *mappedFile) writer() (fs.File, syscall.Errno) {
	var d *desc
	for _, m := range f.users {
		if m.shared && m.desc.writable() {
			if d = m.desc; !d.appends() {
				return d.file, 0
			}
		}
	}
	if f.plain == nil && d != nil {
		plain, err := d.dentry.Node().Open(syscall.O_RDWR)
		if err != nil {
			return nil, errno(err)
		}
		f.plain = plain
	}
	return f.plain, 0
}

// appends tells if writes by d may go to the end of the file.
func (d *desc) appends() bool {
	return (d.flags.Load()|int64(d.opened))&syscall.O_APPEND != 0
}

// writeBack writes p at off.
func (f *mappedFile) writeBack(p []byte, off int64) syscall.Errno {
	file, e := f.writer()
	if e != 0 {
		return e
	}
	for len(p) > 0 {
		n, _, err := file.WriteAt(p, off)
		if err == nil && n == 0 {
			err = syscall.EIO
		}
		if err != nil {
			return errno(err)
		}
		p, off = p[n:], off+int64(n)
	}
	return 0
}

// drop forgets the pages of m, which is no user any more, that no other has.
func (f *mappedFile) drop(m *mapping) {
	first, last := m.inFile(0, m.pageCount())
	for i := m.filePage(first); i < m.filePage(last); i++ {
		if f.pages[i] == nil || slices.ContainsFunc(f.users, func(o *mapping) bool {
			return o.filePage(0) <= i && i < o.filePage(o.pageCount())
		}) {
			continue
		}
		delete(f.pages, i)
		delete(f.dirty, i)
		f.maps.give(1)
	}
}
