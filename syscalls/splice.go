package syscalls

import (
	"math"
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
	r, w, e := k.two(rfd, wfd)
	if e != 0 {
		return -1, e
	}
	defer r.put()
	defer w.put()
	n = min(n, maxTransfer)
	from, _ := r.file.(fs.PipeFile)
	to, _ := w.file.(fs.PipeFile)
	wait := flags&spliceNonblock == 0
	switch {
	case from != nil && roff != nil || to != nil && woff != nil:
		return -1, syscall.ESPIPE
	case !r.readable() || !w.writable():
		return -1, syscall.EBADF
	case from != nil && to != nil:
		if from.SamePipe(to) {
			return -1, syscall.EINVAL
		}
		return splicePipes(from, to, n, wait && !r.nonblock() && !w.nonblock())
	case from != nil:
		return w.spliceFrom(from, woff, n, wait && !r.nonblock())
	case to != nil:
		return r.spliceTo(to, roff, n, wait && !w.nonblock())
	}
	return -1, syscall.EINVAL
}

// two are the descriptions of two descriptors.
func (k *Kernel) two(a, b int) (x, y *desc, e syscall.Errno) {
	if x, e = k.table.file(a); e != 0 {
		return nil, nil, e
	}
	if y, e = k.table.file(b); e != 0 {
		x.put()
		return nil, nil, e
	}
	return x, y, 0
}

func (d *desc) nonblock() bool { return d.flags.Load()&syscall.O_NONBLOCK != 0 }

// waitFor runs do until it answers something else than EAGAIN, or that if it is
// not to wait for events of f.
func waitFor(f fs.PollFile, events uint32, wait bool, do func() error) error {
	for {
		err := do()
		if err != syscall.EAGAIN || !wait {
			return err
		}
		if err := fs.Await(f, events, nil); err != nil {
			return err
		}
	}
}

// splicePipes moves up to n bytes from one pipe to another, what there is and
// there is room for.
func splicePipes(from, to fs.PipeFile, n int, wait bool) (int, syscall.Errno) {
	for {
		room, err := preparePipes(from, to, wait)
		if err != nil {
			return -1, errno(err)
		}
		pages, err := from.Pages(n, room)
		if err != syscall.EAGAIN || !wait { // else somebody else has taken it
			return movePages(from, to, pages, err)
		}
	}
}

// preparePipes waits until there is something in one pipe, or its end, and then
// for room in another, of which it returns how many pages there are.
func preparePipes(from, to fs.PipeFile, wait bool) (room int, err error) {
	if err := waitFor(from, fs.PollIn, wait, func() error { _, err := from.Copies(0); return err }); err != nil {
		return 0, err
	}
	err = waitFor(to, fs.PollOut, wait, func() (err error) {
		room, err = to.Room()
		return err
	})
	return room, err
}

// movePages puts pages that were taken from one pipe into another; what finds no
// room goes back.
func movePages(from, to fs.PipeFile, pages []fs.PipePage, err error) (done int, e syscall.Errno) {
	if err != nil {
		return -1, errno(err)
	}
	put, err := to.Put(pages)
	from.Unread(pages[put:])
	if put == 0 && err != nil {
		return -1, errno(err)
	}
	return sizeOf(pages[:put]), 0
}

// spliceFrom writes up to n bytes of a pipe to d's file.
func (d *desc) spliceFrom(from fs.PipeFile, off *int64, n int, wait bool) (done int, e syscall.Errno) {
	switch {
	case d.anon() || off != nil && d.stream != nil || d.flags.Load()&syscall.O_APPEND != 0:
		return -1, syscall.EINVAL
	case off != nil && *off < 0:
		return -1, syscall.EINVAL
	}
	for done < n {
		var pages []fs.PipePage
		err := waitFor(from, fs.PollIn, wait && done == 0, func() (err error) {
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
			k, e := d.writeAfter(b, off)
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

// writeAfter writes at the position, or at *off, and advances that.
func (d *desc) writeAfter(b []byte, off *int64) (int, syscall.Errno) {
	switch {
	case d.stream != nil:
		end := (<-chan struct{})(nil)
		if d.nonblock() {
			end = never
		}
		n, err := d.stream.WriteUntil(b, end)
		if err == syscall.EINTR {
			err = syscall.EAGAIN
		}
		return n, errno(err)
	case off == nil:
		return d.write(b)
	}
	n, _, err := d.writeAt(b, *off)
	*off += int64(n)
	return n, errno(err)
}

// spliceTo reads up to n bytes of d's file, as many as there is room for, into a
// pipe.
func (d *desc) spliceTo(to fs.PipeFile, off *int64, n int, wait bool) (int, syscall.Errno) {
	if off != nil && (*off < 0 || d.stream != nil || d.anon()) {
		return -1, syscall.EINVAL
	}
	room := 0
	err := waitFor(to, fs.PollOut, wait, func() (err error) {
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
	at := off
	if off == nil && d.stream == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		at = &d.pos
	}
	inPage := int64(0)
	if at != nil {
		inPage = *at % fs.PipePageSize
	}
	b := make([]byte, min(n, room*fs.PipePageSize-int(inPage)))
	var got int
	if d.stream != nil {
		end := (<-chan struct{})(nil)
		if !wait || d.nonblock() {
			end = never
		}
		if got, err = d.stream.ReadUntil(b, end); err == syscall.EINTR {
			err = syscall.EAGAIN
		}
	} else {
		got, err = d.readAt(b, *at)
	}
	if got == 0 {
		if err != nil {
			return -1, errno(err)
		}
		return 0, 0
	}
	pages := fs.NewPipePages(b[:got], inPage)
	done := 0
	for len(pages) > 0 { // others may have filled the pipe meanwhile
		put := 0
		err := waitFor(to, fs.PollOut, wait || d.stream != nil, func() (err error) {
			put, err = to.Put(pages)
			return err
		})
		if err != nil {
			if done == 0 {
				return -1, errno(err)
			}
			break
		}
		done += sizeOf(pages[:put])
		pages = pages[put:]
	}
	if at != nil {
		*at += int64(done)
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
	r, w, e := k.two(rfd, wfd)
	if e != 0 {
		return -1, e
	}
	defer r.put()
	defer w.put()
	from, _ := r.file.(fs.PipeFile)
	to, _ := w.file.(fs.PipeFile)
	switch {
	case !r.readable() || !w.writable():
		return -1, syscall.EBADF
	case from == nil || to == nil || from.SamePipe(to):
		return -1, syscall.EINVAL
	}
	wait := flags&spliceNonblock == 0 && !r.nonblock() && !w.nonblock()
	for {
		_, err := preparePipes(from, to, wait)
		var pages []fs.PipePage
		if err == nil {
			pages, err = from.Copies(min(n, maxTransfer))
		}
		put := 0
		if err == nil {
			put, err = to.Put(pages)
		}
		switch {
		case err == syscall.EAGAIN && wait: // somebody else was faster
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
	d, e := k.table.file(fd)
	if e != 0 {
		return -1, e
	}
	defer d.put()
	p, ok := d.file.(fs.PipeFile)
	if !ok {
		return -1, syscall.EBADF
	}
	wait := flags&spliceNonblock == 0
	if !d.writable() {
		return k.vmspliceRead(p, bufs, wait)
	}
	var pages []fs.PipePage
	for _, b := range bufs {
		pages = append(pages, fs.NewPipePages(b[:min(len(b), p.Size())], int64(address(b)))...)
	}
	if len(pages) == 0 {
		return 0, 0
	}
	put := 0
	err := waitFor(p, fs.PollOut, wait, func() (err error) {
		put, err = p.Put(pages)
		return err
	})
	if err != nil {
		return -1, errno(err)
	}
	return sizeOf(pages[:put]), 0
}

func (k *Kernel) vmspliceRead(p fs.PipeFile, bufs [][]byte, wait bool) (done int, e syscall.Errno) {
	for _, b := range bufs {
		if len(b) == 0 {
			continue
		}
		end := (<-chan struct{})(never)
		if wait && done == 0 {
			end = nil
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

// Sendfile copies up to n bytes of rfd's file, which has positions, to wfd's.
// With off they are those from there on, and the position of rfd is left alone.
func (k *Kernel) Sendfile(wfd, rfd int, off *int64, n int) (int, syscall.Errno) {
	r, e := k.table.file(rfd)
	if e != 0 {
		return -1, e
	}
	defer r.put()
	switch {
	case !r.readable():
		return -1, syscall.EBADF
	case off != nil && (r.stream != nil || r.anon()):
		return -1, syscall.ESPIPE
	case n < 0 || off != nil && *off < 0:
		return -1, syscall.EINVAL
	}
	w, e := k.table.file(wfd)
	if e != 0 {
		return -1, e
	}
	defer w.put()
	to, _ := w.file.(fs.PipeFile)
	switch {
	case !w.writable():
		return -1, syscall.EBADF
	case to != nil:
		return r.spliceTo(to, off, min(n, maxTransfer), !w.nonblock())
	case r.stream != nil && !r.anon():
		return -1, syscall.EINVAL
	case w.flags.Load()&syscall.O_APPEND != 0:
		return -1, syscall.EINVAL
	case n == 0:
		return 0, 0
	case r.kind == syscall.S_IFDIR || r.anon():
		return -1, syscall.EINVAL
	}
	return r.copyOut(w, off, min(n, maxTransfer))
}

// copyOut writes up to n bytes of d's file to w's.
func (d *desc) copyOut(w *desc, off *int64, n int) (done int, e syscall.Errno) {
	at := int64(0)
	if off != nil {
		at = *off
	} else {
		d.mu.Lock()
		at = d.pos
		d.mu.Unlock()
	}
	b := make([]byte, min(n, 64<<10))
	for done < n && e == 0 {
		got, err := d.readAt(b[:min(len(b), n-done)], at)
		if got == 0 {
			e = errno(err)
			break
		}
		if w.anon() || w.kind == syscall.S_IFDIR {
			e = syscall.EINVAL
			break
		}
		var put int
		put, e = w.writeAfter(b[:got], nil)
		done += put
		at += int64(put)
		if put < got {
			break
		}
	}
	if off != nil {
		*off = at
	} else {
		d.mu.Lock()
		d.pos = at
		d.mu.Unlock()
	}
	if done == 0 && e != 0 {
		return -1, e
	}
	return done, 0
}
