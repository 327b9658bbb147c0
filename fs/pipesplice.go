package fs

import "syscall"

// PipeFile is an end of a pipe: what splice(2) and its relatives need of one.
type PipeFile interface {
	File
	Interruptible
	// CanRead and CanWrite tell which end it is; of a FIFO it may be both.
	CanRead() bool
	CanWrite() bool
	// SamePipe tells if p is an end of the same pipe.
	SamePipe(p PipeFile) bool
	// Pages takes up to n bytes out, in at most max pieces, which are the caller's.
	// EAGAIN: there is nothing yet; no pieces: and never will be.
	Pages(n, max int) ([]PipePage, error)
	// Unread puts back what Pages has taken, before what is there now.
	Unread(pages []PipePage)
	// Copies is Pages, but leaves in the pipe what is there.
	Copies(n int) ([]PipePage, error)
	// Put adds pages, as many as there is room for, and returns how many that were.
	// EAGAIN: none.
	Put(pages []PipePage) (int, error)
	// Room is for how many pages there is room now. EAGAIN: for none.
	Room() (int, error)
	// Size is how many bytes the pipe can hold; Resize changes it to at least size
	// and returns what it is then.
	Size() int
	Resize(size int) (int, error)
}

// PipePage is what lies in one page of a pipe.
type PipePage struct{ buf pipeBuf }

// Bytes are those of the page, at least one.
func (p *PipePage) Bytes() []byte { return p.buf.bytes() }

// Skip takes away the first n of Bytes.
func (p *PipePage) Skip(n int) {
	p.buf.at += n
	p.buf.n -= n
}

// NewPipePages makes pages of a copy of b. They end where pages of a file do in
// which b lies at off.
func NewPipePages(b []byte, off int64) (pages []PipePage) {
	for first := int(off % pipePage); len(b) > 0; first = 0 {
		page := make([]byte, pipePage)
		n := copy(page[first:], b)
		pages = append(pages, PipePage{pipeBuf{page: page, at: first, n: n}})
		b = b[n:]
	}
	return pages
}

// PipePageSize is how many bytes a page of a pipe has room for.
const PipePageSize = pipePage

func (e *pipeEnd) CanRead() bool  { return e.reads }
func (e *pipeEnd) CanWrite() bool { return e.writes }

func (e *pipeEnd) SamePipe(p PipeFile) bool {
	o, ok := p.(*pipeEnd)
	return ok && o.pipe == e.pipe
}

func (e *pipeEnd) Pages(n, max int) (pages []PipePage, err error) {
	p := e.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.pages) == 0 && p.writers > 0 {
		return nil, syscall.EAGAIN
	}
	for n > 0 && len(pages) < max && len(p.pages) > 0 {
		first := &p.pages[0]
		if first.n > n { // the rest stays
			pages = append(pages, PipePage{first.copied(n)})
			first.at += n
			first.n -= n
			break
		}
		n -= first.n
		taken := *first // where it comes to it can still be written behind
		first.page = nil
		p.pop()
		pages = append(pages, PipePage{taken})
	}
	return pages, nil
}

// copied is a page of its own with the first n bytes of b.
func (b *pipeBuf) copied(n int) pipeBuf {
	page := make([]byte, pipePage)
	copy(page[b.at:], b.bytes()[:n])
	return pipeBuf{page: page, at: b.at, n: n, packet: b.packet}
}

func (e *pipeEnd) Unread(pages []PipePage) {
	if len(pages) == 0 {
		return
	}
	p := e.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	back := make([]pipeBuf, 0, len(pages)+len(p.pages))
	for i := range pages {
		back = append(back, pages[i].buf)
	}
	p.pages = append(back, p.pages...)
	p.begin = p.pages[:0]
	p.queue.Wake(pipeFuller)
}

func (e *pipeEnd) Copies(n int) (pages []PipePage, err error) {
	p := e.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.pages) == 0 && p.writers > 0 {
		return nil, syscall.EAGAIN
	}
	for i := 0; i < len(p.pages) && n > 0; i++ {
		k := min(n, p.pages[i].n)
		pages = append(pages, PipePage{p.pages[i].copied(k)})
		n -= k
	}
	return pages, nil
}

func (e *pipeEnd) Put(pages []PipePage) (n int, err error) {
	p := e.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readers == 0 {
		return 0, syscall.EPIPE
	}
	for n < len(pages) && !p.full() {
		p.push(pages[n].buf)
		n++
	}
	if n == 0 && len(pages) > 0 {
		return 0, syscall.EAGAIN
	}
	return n, nil
}

func (e *pipeEnd) Room() (int, error) {
	p := e.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.readers == 0:
		return 0, syscall.EPIPE
	case p.full():
		return 0, syscall.EAGAIN
	}
	return p.limit() - len(p.pages), nil
}

func (e *pipeEnd) Size() int {
	e.pipe.mu.Lock()
	defer e.pipe.mu.Unlock()
	return e.pipe.limit() * pipePage
}

func (e *pipeEnd) Resize(size int) (int, error) {
	e.pipe.mu.Lock()
	defer e.pipe.mu.Unlock()
	return e.pipe.resize(size)
}
