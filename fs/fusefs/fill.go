package fusefs

import (
	"sync"
	"time"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// fill is one READ into blocks. Whoever needs one of them completes it; a fill
// that is ahead of its readers is completed by a goroutine of its own.
type fill struct {
	h      *handle
	data   *fileData
	blocks []*block // consecutive
	size   int      // bytes asked for
	time   int64    // when, on the clock of FS.now
	slot   bool     // has a place for a request that nobody waits for

	sent    sync.Once
	r       *request
	in, out [][]byte
	pending fuse.Pending

	taken sync.Once
	n     int // bytes that came
	err   error
}

// newFill makes room for up to count blocks from index on and returns the fill
// that is to read them: nil if there is no room or the first of them is being
// changed, and with there set if that is there meanwhile. size is that of the file.
func (h *handle) newFill(d *fileData, index int64, count int, size int64, slot bool) (l *fill, there bool) {
	f := h.node.fs
	bufs := make([][]byte, 0, count)
	for i := index; len(bufs) < count; i++ {
		left := min(size-i<<blockShift, blockSize)
		if left <= 0 {
			break
		}
		buf := f.pages.alloc(int(left+pageSize-1) &^ (pageSize - 1))
		if buf == nil {
			break
		}
		bufs = append(bufs, buf)
	}
	l = &fill{h: h, data: d, time: f.now(), slot: slot}
	d.mu.Lock()
	for i, buf := range bufs {
		at := index + int64(i)
		if d.blocks[at] != nil {
			there = i == 0
			break
		}
		if d.changing(at) {
			break
		}
		if d.blocks == nil {
			d.blocks = map[int64]*block{}
		}
		b := &block{data: d, index: at, buf: buf, fill: l}
		d.blocks[at] = b
		l.blocks = append(l.blocks, b)
		l.size += len(buf)
	}
	if len(l.blocks) > 0 {
		h.hold()
		f.releases.under(1)
	}
	d.mu.Unlock()
	f.pages.mu.Lock()
	for _, buf := range bufs[len(l.blocks):] {
		f.pages.release(buf)
	}
	f.pages.mu.Unlock()
	if len(l.blocks) == 0 {
		return nil, there
	}
	return l, false
}

// send sends the request, if the transport does not need somebody who waits.
func (l *fill) send() {
	l.sent.Do(func() {
		f := l.h.node.fs
		l.r = f.request(fuse.FUSE_READ, l.h.node.id)
		msg := l.h.readIn(nil, l.blocks[0].index<<blockShift)
		msg.Size = uint32(l.size)
		l.r.buf = msg.AppendTo(l.r.buf)
		if l.in, l.out, l.err = f.lay(l.r, nil, nil, 0); l.err != nil {
			return
		}
		for _, b := range l.blocks {
			l.out = append(l.out, b.buf)
		}
		if f.starter != nil {
			l.r.begun = time.Time{} // it may be long until somebody takes the answer
			if l.pending, l.err = f.starter.Start(l.in, l.out); l.err != nil {
				_, l.err = f.take(l.r, 0, l.err, 0, 0)
			}
		}
	})
}

// complete returns when the reply is there and the blocks are ready or gone.
func (l *fill) complete() {
	l.send()
	l.taken.Do(l.take)
}

func (l *fill) take() {
	f := l.h.node.fs
	if l.err == nil {
		var n int
		var err error
		if l.pending != nil {
			n, err = l.pending.Wait()
		} else {
			n, err = f.t.RoundTrip(l.in, l.out)
		}
		l.n, l.err = f.take(l.r, n, err, l.size, 0)
	}
	if l.err != nil {
		l.n = 0
	}
	f.done(l.r)
	l.r, l.in, l.out, l.pending = nil, nil, nil, nil
	if l.slot {
		f.started.give()
	}
	l.settle()
	l.h.node.wasRead(l.n)
	l.h.put()
	f.releases.under(-1)
}

// settle makes the blocks ready that have got bytes.
func (l *fill) settle() {
	d := l.data
	seen, valid := l.h.node.dataSeen()
	d.mu.Lock()
	defer d.mu.Unlock()
	if l.n > 0 && l.time < seen+racyTime {
		d.racyEnd.CompareAndSwap(0, max(deadline(mark{time: l.time}, valid), 1))
	}
	left := l.n
	for _, b := range l.blocks {
		n := min(left, len(b.buf))
		left -= n
		b.fill = nil
		if !b.dead && n == 0 {
			d.kill(b)
		}
		if b.dead {
			d.pages.free(b)
			continue
		}
		b.buf = b.buf[:n]
		b.ready, b.filled = true, l.time
		d.pages.add(b)
	}
}
