package fusefs

import (
	"sync/atomic"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// directRead is the length from which on a read goes straight to the server,
// in bytes: then it takes no longer than a copy by a guest, and no room.
const directRead = 128 << 10

// minLifetime is the attribute lifetime from which on data is kept. With a
// shorter one the attributes would be asked for as often as the data.
const minLifetime = 10 * time.Millisecond

// maxWindow is how far readahead reads at once, in blocks.
const maxWindow = 8

// stream is how a file is being read, for readahead.
type stream struct {
	end    atomic.Int64 // of the last read
	ahead  atomic.Int64 // the first block that is not asked for yet
	window atomic.Int32 // blocks asked for at once; 0 before the first miss
}

// keepsData reports whether data of the file may be kept and used.
func (h *file) keepsData() bool {
	n := h.node
	return n.fs.pages.limit > 0 && h.openFlags&fuse.FOPEN_DIRECT_IO == 0 &&
		h.flags&syscall.O_DIRECT == 0 && h.flags&syscall.O_ACCMODE != syscall.O_WRONLY &&
		!n.mapped.Load()
}

// openData does to the data of the node what its opening demands: it goes,
// unless the server says that it may stay, or leaves that to the attributes.
func (h *handle) openData() {
	if h.openFlags&fuse.FOPEN_KEEP_CACHE == 0 && !h.node.fs.session.has(fuse.FUSE_AUTO_INVAL_DATA) {
		h.node.dropData()
	}
}

// freshSize returns the size of the file if the server has told it and the
// lifetime of that runs. With ask, the server is asked if that may be of use.
func (h *file) freshSize(ask bool) (size int64, ok bool) {
	n := h.node
	size, fresh := n.size()
	if !fresh && ask && n.keepsLong() {
		var a fs.Attr
		if n.fetchAttr(&a, h.handle) != nil {
			return 0, false
		}
		size, fresh = n.size()
	}
	// What has no size may have bytes all the same, such as files of procfs.
	return size, fresh && size > 0
}

// readKept reads p, which lies within the file's size, from what is kept, and
// has the server asked for what is not.
func (h *file) readKept(p []byte, off, size int64) (n int, err error) {
	nd := h.node
	d := nd.kept()
	if end := d.racyEnd.Load(); end != 0 && nd.fs.now() >= end {
		seen, _ := nd.dataSeen()
		d.dropRacy(seen + racyTime)
	}
	inOrder := off == h.stream.end.Load()
	for tries := 0; ; tries++ {
		k, l := d.copy(p[n:], off+int64(n))
		if n += k; n == len(p) {
			break
		}
		pos := off + int64(n)
		if tries < maxTries {
			ours := l == nil
			if ours {
				var again bool
				if l, again = h.demand(d, pos, len(p)-n, size, inOrder); again {
					continue
				}
			}
			if l != nil {
				if inOrder && off > 0 {
					h.readahead(d, l.end(), size)
				}
				l.complete()
				if l.err == nil && (!ours || pos-l.start() < int64(l.n)) {
					continue
				}
				if l.err == nil {
					break // the file is shorter than it was
				}
			}
		}
		// No room, or an error that may be of bytes that nobody asked for.
		k, err := h.readAll(p[n:], pos)
		if err != nil && n == 0 {
			return 0, err
		}
		n += k
		nd.wasRead(k)
		break
	}
	h.stream.end.Store(off + int64(n))
	if inOrder && off > 0 {
		h.readahead(d, (off+int64(n))>>blockShift, size)
	}
	return n, nil
}

// maxTries is how often a read looks for its blocks, while writes make them go,
// before it goes to the server itself.
const maxTries = 8

// copy copies what is ready of the bytes at pos, and is not being changed. If
// that is not all of them, l is who reads the next one, nil for nobody.
func (d *fileData) copy(p []byte, pos int64) (n int, l *fill) {
	d.mu.RLock()
	for n < len(p) {
		b := d.blocks[pos>>blockShift]
		if b == nil || d.changing(b.index) {
			break
		}
		if !b.ready {
			l = b.fill
			break
		}
		at := int(pos & (blockSize - 1))
		if at >= len(b.buf) {
			// It is of when the file was shorter, or the file is shorter.
			d.mu.RUnlock()
			d.evict(b)
			return n, nil
		}
		if !b.used.Load() {
			b.used.Store(true)
		}
		k := copy(p[n:], b.buf[at:])
		n += k
		pos += int64(k)
	}
	d.mu.RUnlock()
	return n, l
}

func (l *fill) start() int64 { return l.blocks[0].index << blockShift }
func (l *fill) end() int64   { return l.blocks[0].index + int64(len(l.blocks)) }

// demand sends a READ for length bytes at pos and, while the file is read in
// order, for more and more behind them. It returns nil if they are not to be
// kept; again is set if somebody else was faster.
func (h *file) demand(d *fileData, pos int64, length int, size int64, inOrder bool) (l *fill, again bool) {
	f := h.node.fs
	s := &h.stream
	first := pos >> blockShift
	count := (pos+int64(length)-1)>>blockShift - first + 1
	if inOrder {
		window := min(max(s.window.Load()*2, 1), f.maxWindow())
		s.window.Store(window)
		count = max(count, int64(window))
	} else {
		s.window.Store(0)
		if size > f.pages.limit {
			return nil, false // reads here and there would find little of it again
		}
	}
	count = min(count, int64(f.session.maxRead>>blockShift))
	if l, again = h.newFill(d, first, int(count), size, false); l != nil {
		s.ahead.Store(l.end())
		l.send()
	}
	return l, again
}

// maxWindow is how many blocks are asked for at once, ahead of the reader.
func (f *FS) maxWindow() int32 {
	return int32(min(maxWindow, f.session.maxRead>>blockShift, int(f.session.readahead>>blockShift), int(f.pages.limit>>blockShift)/4))
}

// readahead has the next blocks read while those at hand are being used, when
// the reader has come to block at, one window before the end of what was asked
// for.
func (h *file) readahead(d *fileData, at, size int64) {
	f := h.node.fs
	s := &h.stream
	window, ahead := s.window.Load(), s.ahead.Load()
	if at+int64(window) < ahead || ahead<<blockShift >= size {
		return
	}
	window = min(max(window*2, 1), f.maxWindow())
	if window == 0 || f.starter == nil || !f.session.has(fuse.FUSE_ASYNC_READ) {
		return
	}
	// Some may be there from before.
	first := max(ahead, at)
	end := first + int64(window)
	d.mu.RLock()
	for first < end && d.blocks[first] != nil {
		first++
	}
	d.mu.RUnlock()
	if first == end || first<<blockShift >= size {
		s.ahead.Store(first)
		return
	}
	if !f.mayStart() {
		return
	}
	l, _ := h.newFill(d, first, int(window), size, true)
	if l == nil {
		f.started.give()
		return
	}
	s.window.Store(window)
	s.ahead.Store(l.end())
	l.send()
	go l.complete()
}
