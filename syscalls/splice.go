package syscalls

import (
	"cmp"
	"math"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Splice and its relatives copy bytes; that pages change hands elsewhere shows
// only in how many of them a pipe is full with.

// Flags of splice(2).
const (
	spliceNonblock = 2
	spliceFlags    = 0xf
)

// maxTransfer is the most that one call moves, in bytes: MAX_RW_COUNT.
const maxTransfer = math.MaxInt32 &^ (pageSize - 1)

// Splice moves up to n bytes between a pipe and a file, or two pipes. Offsets are
// of files whose position is not to be used.
func (k *Kernel) Splice(rfd int, roff *int64, wfd int, woff *int64, n int, flags int) (int, syscall.Errno) {
	switch {
	case n == 0:
		return 0, 0
	case n < 0 || flags&^spliceFlags != 0:
		return -1, syscall.EINVAL
	}
	t, e := k.transfer(rfd, wfd, flags)
	if e != 0 {
		return -1, e
	}
	defer t.put()
	n = min(n, maxTransfer)
	r, w, from, to := t.r, t.w, t.from, t.to
	switch {
	case from != nil && roff != nil || to != nil && woff != nil:
		return -1, syscall.ESPIPE
	case !r.readable() || !w.writable():
		return -1, syscall.EBADF
	case from != nil && to != nil:
		if from.SamePipe(to) {
			return -1, syscall.EINVAL
		}
		return t.betweenPipes(n)
	case from != nil:
		return t.fromPipe(woff, n)
	case to != nil:
		return t.toPipe(roff, n)
	}
	return -1, syscall.EINVAL
}

// transfer is what moves bytes from one descriptor to another. Waits for one end
// as reads and writes of it do: they have its deadline, and end with its close.
type transfer struct {
	r, w       *desc
	from, to   fs.PipeFile     // r and w, if they are pipes
	rend, wend <-chan struct{} // never: it does not wait
}

// transfer begins one. flags are those of splice(2).
func (k *Kernel) transfer(rfd, wfd, flags int) (*transfer, syscall.Errno) {
	r, e := k.table.slot(rfd)
	if e != 0 {
		return nil, e
	}
	w, e := k.table.slot(wfd)
	if e != 0 {
		r.desc.put()
		return nil, e
	}
	t := &transfer{r: r.desc, w: w.desc}
	if (t.r.opened|t.w.opened)&O_PATH != 0 {
		t.put()
		return nil, syscall.EBADF
	}
	t.from, _ = t.r.file.(fs.PipeFile)
	t.to, _ = t.w.file.(fs.PipeFile)
	pipes := t.from != nil && t.to != nil
	if e := cmp.Or(r.over(0), w.over(1)); e != 0 {
		t.put()
		return nil, e
	}
	t.rend = r.end(0, flags&spliceNonblock != 0 || pipes && t.w.nonblock())
	t.wend = w.end(1, flags&spliceNonblock != 0 || pipes && t.r.nonblock())
	return t, 0
}

func (t *transfer) put() {
	t.r.put()
	t.w.put()
}

// over is the error of a call in one direction of a descriptor whose deadline has
// passed, or which is closed or interrupted.
func (s *slot) over(which int) syscall.Errno {
	_, e := s.limits[which].state()
	if e != 0 && e != syscall.EBADF {
		e = syscall.EAGAIN
	}
	return e
}

// end is what ends waiting in one direction of a descriptor.
func (s *slot) end(which int, atOnce bool) <-chan struct{} {
	end, e := s.limits[which].state()
	if e != 0 || atOnce || s.desc.nonblock() {
		return never
	}
	return end
}

func (d *desc) nonblock() bool { return d.flags.Load()&syscall.O_NONBLOCK != 0 }

// waitFor runs do until it answers something else than EAGAIN, or that when end is
// closed. In between it waits for events of f.
func waitFor(f fs.PollFile, events uint32, end <-chan struct{}, do func() error) error {
	err := fs.Await(f, events, end, 0, do)
	if err == syscall.EINTR {
		err = syscall.EAGAIN
	}
	return err
}

// betweenPipes moves up to n bytes from one pipe to another, what there is and
// there is room for.
func (t *transfer) betweenPipes(n int) (int, syscall.Errno) {
	for {
		room, err := t.prepare()
		if err != nil {
			return -1, errno(err)
		}
		pages, err := t.from.Pages(n, room)
		if err == nil {
			return movePages(t.from, t.to, pages)
		} else if err != syscall.EAGAIN { // else somebody else has taken it
			return -1, errno(err)
		}
	}
}

// prepare waits until there is something in one pipe, or its end, and then for
// room in the other, of which it returns how many pages there are.
func (t *transfer) prepare() (room int, err error) {
	if err := waitFor(t.from, fs.PollIn, t.rend, func() error { _, err := t.from.Copies(0); return err }); err != nil {
		return 0, err
	}
	err = waitFor(t.to, fs.PollOut, t.wend, func() (err error) {
		room, err = t.to.Room()
		return err
	})
	return room, err
}

// movePages puts pages that were taken from one pipe into another; what finds no
// room goes back.
func movePages(from, to fs.PipeFile, pages []fs.PipePage) (int, syscall.Errno) {
	put, err := to.Put(pages)
	from.Unread(pages[put:])
	if put == 0 && err != nil {
		return -1, errno(err)
	}
	return sizeOf(pages[:put]), 0
}

// fromPipe writes up to n bytes of a pipe to a file.
func (t *transfer) fromPipe(off *int64, n int) (done int, e syscall.Errno) {
	d, from := t.w, t.from
	switch {
	case d.anon() || off != nil && d.stream != nil || d.flags.Load()&syscall.O_APPEND != 0:
		return -1, syscall.EINVAL
	case off != nil && *off < 0:
		return -1, syscall.EINVAL
	}
	for done < n {
		var pages []fs.PipePage
		end := t.rend
		if done > 0 {
			end = never
		}
		err := waitFor(from, fs.PollIn, end, func() (err error) {
			pages, err = from.Pages(n-done, 16)
			return err
		})
		if err != nil || len(pages) == 0 {
			if err != nil && done == 0 {
				return -1, errno(err)
			}
			break
		}
		for len(pages) > 0 {
			b := pages[0].Bytes()
			k, e := t.write(b, off)
			done += k
			if k < len(b) {
				pages[0].Skip(k)
				from.Unread(pages)
				if e != 0 && done == 0 {
					return -1, e
				}
				return done, 0
			}
			pages = pages[1:]
		}
	}
	return done, 0
}

// write writes at the position, or at *off, and advances that.
func (t *transfer) write(b []byte, off *int64) (int, syscall.Errno) {
	switch {
	case t.w.stream != nil:
		n, err := t.w.stream.WriteUntil(b, t.wend)
		if err == syscall.EINTR {
			err = syscall.EAGAIN
		}
		return n, errno(err)
	case off == nil:
		return t.w.write(b)
	}
	n, _, err := t.w.writeAt(b, *off)
	*off += int64(n)
	return n, errno(err)
}

// toPipe reads up to n bytes of a file, as many as there is room for, into a pipe.
func (t *transfer) toPipe(off *int64, n int) (int, syscall.Errno) {
	d, to := t.r, t.to
	if off != nil && (*off < 0 || d.stream != nil || d.anon()) {
		return -1, syscall.EINVAL
	}
	room := 0
	err := waitFor(to, fs.PollOut, t.wend, func() (err error) {
		room, err = to.Room()
		return err
	})
	if err != nil {
		return -1, errno(err)
	}
	switch {
	case n == 0:
		return 0, 0
	case d.anon() || d.kind == syscall.S_IFDIR || d.kind == syscall.S_IFIFO:
		return -1, syscall.EINVAL
	}
	if d.stream != nil {
		return t.streamToPipe(min(n, room*fs.PipePageSize))
	}
	at := off
	if off == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		at = &d.pos
	}
	inPage := *at % fs.PipePageSize
	b := make([]byte, min(n, room*fs.PipePageSize-int(inPage)))
	got, err := d.readAt(b, *at)
	if got == 0 {
		if err != nil {
			return -1, errno(err)
		}
		return 0, 0
	}
	done, e := t.fill(fs.NewPipePages(b[:got], inPage))
	if e != 0 {
		return -1, e
	}
	*at += int64(done)
	return done, 0
}

// chunk is how many bytes of a stream are moved at a time. Pipes that programs splice
// through have room for a megabyte, of which a stream mostly has a small part, or
// nothing yet.
const chunk = 64 << 10

var chunks = sync.Pool{New: func() any { return new([chunk]byte) }}

// streamToPipe reads up to n bytes of a stream, what there is, into a pipe.
func (t *transfer) streamToPipe(n int) (done int, e syscall.Errno) {
	b := chunks.Get().(*[chunk]byte)
	defer chunks.Put(b)
	for end := t.rend; done < n; end = never {
		want := min(n-done, len(b))
		got, err := t.r.stream.ReadUntil(b[:want], end)
		if got == 0 {
			if err == syscall.EINTR {
				err = syscall.EAGAIN
			}
			if err != nil && done == 0 {
				return -1, errno(err)
			}
			break
		}
		put, e := t.fill(fs.NewPipePages(b[:got], 0))
		done += put
		if e != 0 && done == 0 {
			return -1, e
		}
		if e != 0 || got < want {
			break
		}
	}
	return done, 0
}

// fill puts pages into the pipe, and waits for room if others have filled it
// meanwhile. It fails only if it puts nothing.
func (t *transfer) fill(pages []fs.PipePage) (done int, e syscall.Errno) {
	for len(pages) > 0 {
		put := 0
		err := waitFor(t.to, fs.PollOut, t.wend, func() (err error) {
			put, err = t.to.Put(pages)
			return err
		})
		if err != nil {
			if done == 0 {
				return 0, errno(err)
			}
			break
		}
		done += sizeOf(pages[:put])
		pages = pages[put:]
	}
	return done, 0
}

// Tee copies up to n bytes from one pipe to another and leaves them in the first.
func (k *Kernel) Tee(rfd, wfd int, n int, flags int) (int, syscall.Errno) {
	switch {
	case flags&^spliceFlags != 0 || n < 0:
		return -1, syscall.EINVAL
	case n == 0:
		return 0, 0
	}
	t, e := k.transfer(rfd, wfd, flags)
	if e != 0 {
		return -1, e
	}
	defer t.put()
	switch {
	case !t.r.readable() || !t.w.writable():
		return -1, syscall.EBADF
	case t.from == nil || t.to == nil || t.from.SamePipe(t.to):
		return -1, syscall.EINVAL
	}
	for {
		_, err := t.prepare()
		if err != nil {
			return -1, errno(err)
		}
		pages, err := t.from.Copies(min(n, maxTransfer))
		put := 0
		if err == nil {
			put, err = t.to.Put(pages)
		}
		switch {
		case err == syscall.EAGAIN: // somebody else was faster
		case err != nil:
			return -1, errno(err)
		default:
			return sizeOf(pages[:put]), 0
		}
	}
}

// sizeOf is how many bytes pages have.
func sizeOf(pages []fs.PipePage) (n int) {
	for i := range pages {
		n += len(pages[i].Bytes())
	}
	return n
}

// Vmsplice adds bufs to a pipe, as far as there is room, or, by its reading end,
// reads into them what is there.
func (k *Kernel) Vmsplice(fd int, bufs [][]byte, flags int) (int, syscall.Errno) {
	if flags&^spliceFlags != 0 {
		return -1, syscall.EINVAL
	}
	s, e := k.table.slot(fd)
	if e != 0 {
		return -1, e
	}
	d := s.desc
	defer d.put()
	p, ok := d.file.(fs.PipeFile)
	if !ok {
		return -1, syscall.EBADF
	}
	if !d.writable() {
		return vmspliceRead(p, bufs, s.end(0, flags&spliceNonblock != 0))
	}
	var pages []fs.PipePage
	for _, b := range bufs {
		pages = append(pages, fs.NewPipePages(b[:min(len(b), p.Size())], int64(address(b)))...)
	}
	if len(pages) == 0 {
		return 0, 0
	}
	put := 0
	err := waitFor(p, fs.PollOut, s.end(1, flags&spliceNonblock != 0), func() (err error) {
		put, err = p.Put(pages)
		return err
	})
	if err != nil {
		return -1, errno(err)
	}
	return sizeOf(pages[:put]), 0
}

func vmspliceRead(p fs.PipeFile, bufs [][]byte, end <-chan struct{}) (done int, e syscall.Errno) {
	for _, b := range bufs {
		if len(b) == 0 {
			continue
		}
		if done > 0 {
			end = never
		}
		n, err := p.ReadUntil(b, end)
		done += n
		switch {
		case err == syscall.EINTR && done == 0:
			return -1, syscall.EAGAIN
		case err != nil && err != syscall.EINTR && done == 0:
			return -1, errno(err)
		case n < len(b):
			return done, 0
		}
	}
	return done, 0
}
