package fs

import (
	"sync"
	"syscall"
)

// PipeSize is how many bytes a new pipe holds, and PipeMax how many F_SETPIPE_SZ
// may have it hold: pipe-max-size of proc(5).
const (
	PipeSize = 64 << 10
	PipeMax  = 1 << 20
)

// pipePage is the size of the pages that a pipe consists of, in bytes, and
// PIPE_BUF: a write up to it goes into one page, and so is not mixed with others.
const pipePage = 4096

// pipe is the buffer between the ends of a pipe. As on Linux it has room for a
// number of pages, whatever lies in each of them, and a write begins a new page
// unless what is more than whole pages of it fits behind the bytes of the last.
// When a pipe is full is therefore the same.
type pipe struct {
	mu               sync.Mutex
	pages            []pipeBuf // what is in it, in order
	begin            []pipeBuf // where they go next if there are none
	room             int       // how many pages it may have; 0: those of PipeSize
	free             [][]byte  // pages to be used again
	readers, writers int
	opens            [2]uint64     // how often it was opened for reading, for writing
	changed          chan struct{} // closed at the next opening; nil if nobody waits
	queue            WaitQueue
	users            int    // of a FIFO, under fifos.mu
	fifos            *fifos // of a FIFO
}

// pipeBuf is a page in a pipe.
type pipeBuf struct {
	page   []byte // the whole page
	at, n  int    // its bytes that are in the pipe
	packet bool   // written with O_DIRECT: one read gets it, all or its beginning
	merges bool   // further bytes may go behind its own
}

func (b *pipeBuf) bytes() []byte { return b.page[b.at : b.at+b.n] }

// What changes of a pipe may bring about. Readers and writers have no event in
// common: of some changes Linux tells only the one kind, whatever they wait for.
const (
	pipeFuller  = PollIn | PollRdNorm
	pipeEmptier = PollOut | PollWrNorm
	pipeReaders = pipeFuller | PollHup
	pipeWriters = pipeEmptier | PollErr
)

// limit is how many pages the pipe may have; p.mu is held, as in what follows.
func (p *pipe) limit() int {
	if p.room == 0 {
		return PipeSize / pipePage
	}
	return p.room
}

func (p *pipe) full() bool { return len(p.pages) >= p.limit() }

// newPage returns a page of any content.
func (p *pipe) newPage() []byte {
	if last := len(p.free) - 1; last >= 0 {
		b := p.free[last]
		p.free = p.free[:last]
		return b
	}
	return make([]byte, pipePage)
}

// push adds a page behind the others.
func (p *pipe) push(b pipeBuf) {
	if p.pages = append(p.pages, b); len(p.pages) == 1 {
		p.begin = p.pages[:0]
	}
	p.queue.Wake(pipeFuller)
}

// pop takes the first page out, whose bytes are used up.
func (p *pipe) pop() {
	full := p.full()
	if page := p.pages[0].page; page != nil && len(p.free) < p.limit() {
		p.free = append(p.free, page)
	}
	p.pages[0] = pipeBuf{}
	if p.pages = p.pages[1:]; len(p.pages) == 0 {
		p.pages = p.begin
	}
	if full && !p.full() {
		p.queue.Wake(pipeEmptier)
	}
}

// read takes up to len(b) bytes. EAGAIN: there are none yet.
func (p *pipe) read(b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	if len(p.pages) == 0 && p.writers > 0 {
		return 0, syscall.EAGAIN
	}
	for n < len(b) && len(p.pages) > 0 {
		first := &p.pages[0]
		k := copy(b[n:], first.bytes())
		n += k
		first.at += k
		first.n -= k
		packet := first.packet
		if packet || first.n == 0 {
			p.pop()
		}
		if packet {
			break
		}
	}
	return n, nil
}

// write puts as much of b into the pipe as there is room for. EAGAIN: nothing.
func (p *pipe) write(b []byte, packet bool) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	if p.readers == 0 {
		return 0, syscall.EPIPE
	}
	if odd := len(b) % pipePage; odd > 0 && len(p.pages) > 0 {
		last := &p.pages[len(p.pages)-1]
		if end := last.at + last.n; last.merges && end+odd <= pipePage {
			n = copy(last.page[end:], b[:odd])
			last.n += n
			p.queue.Wake(pipeFuller)
		}
	}
	for n < len(b) && !p.full() {
		page := p.newPage()
		k := copy(page, b[n:])
		n += k
		p.push(pipeBuf{page: page, n: k, packet: packet, merges: !packet})
	}
	if n == 0 {
		return 0, syscall.EAGAIN
	}
	return n, nil
}

// readable is how many bytes are in the pipe.
func (p *pipe) readable() (n int) {
	for i := range p.pages {
		n += p.pages[i].n
	}
	return n
}

// resize has the pipe hold size bytes, rounded up to a power of two of pages.
// EBUSY: there is more in it.
func (p *pipe) resize(size int) (int, error) {
	const most = 1 << 31
	if size < 0 || size > most {
		return 0, syscall.EINVAL
	}
	room := 1
	for room*pipePage < size {
		room *= 2
	}
	switch {
	case room > p.limit() && room*pipePage > PipeMax:
		return 0, syscall.EPERM
	case room < len(p.pages):
		return 0, syscall.EBUSY
	}
	p.room = room
	p.free = p.free[:min(len(p.free), room)]
	p.queue.Wake(pipeWriters)
	return room * pipePage, nil
}
