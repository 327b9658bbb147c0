package fusefs

import (
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

var _ fs.MapFile = (*file)(nil)

// maxMapAlignment is the coarsest alignment of mappings that makes sense, as
// log2 of bytes: 1 GiB.
const maxMapAlignment = 30

// window is the device's window of shared memory, handed out in extents that
// are multiples of align.
type window struct {
	mem   []byte
	align int64
	mu    sync.Mutex
	free  []extent // in order, no two adjacent
}

type extent struct{ start, length int64 }

// open makes the whole window free; without it, nothing can be mapped.
func (w *window) open(align int64) {
	w.align = align
	if n := int64(len(w.mem)) &^ (align - 1); n > 0 {
		w.free = []extent{{0, n}}
	}
}

// alloc takes length bytes, a multiple of align, from the first gap that has
// them.
func (w *window) alloc(length int64) (start int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.free {
		e := &w.free[i]
		if e.length < length {
			continue
		}
		start = e.start
		e.start += length
		if e.length -= length; e.length == 0 {
			w.free = append(w.free[:i], w.free[i+1:]...)
		}
		return start, nil
	}
	return 0, syscall.ENOMEM
}

// release gives back what alloc returned, joined with its neighbours.
func (w *window) release(e extent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := 0
	for i < len(w.free) && w.free[i].start < e.start {
		i++
	}
	if i < len(w.free) && e.start+e.length == w.free[i].start {
		e.length += w.free[i].length
		w.free = append(w.free[:i], w.free[i+1:]...)
	}
	if i > 0 && w.free[i-1].start+w.free[i-1].length == e.start {
		w.free[i-1].length += e.length
		return
	}
	w.free = append(w.free, extent{})
	copy(w.free[i+1:], w.free[i:])
	w.free[i] = e
}

// mapping is a part of a file in the window. It holds a reference of the node.
type mapping struct {
	node  *node
	at    extent // in the window
	bytes []byte
	once  sync.Once
}

// Map implements fs.MapFile with SETUPMAPPING.
func (h *file) Map(off, length int64, write bool) (fs.Mapping, error) {
	n := h.node
	f := n.fs
	w := &f.window
	if off < 0 || off%pageSize != 0 || length <= 0 {
		return nil, syscall.EINVAL
	}
	if err := n.usable(); err != nil {
		return nil, err
	}
	if w.align == 0 || f.nosys[fuse.FUSE_SETUPMAPPING].Load() {
		return nil, syscall.ENODEV
	}
	skip := off & (w.align - 1)
	if length > int64(len(w.mem))-skip {
		return nil, syscall.ENOMEM
	}
	size := (skip + length + w.align - 1) &^ (w.align - 1)
	start, err := w.alloc(size)
	if err != nil {
		return nil, err
	}
	in := fuse.SetupmappingIn{
		Fh: h.fh, Foffset: uint64(off - skip), Len: uint64(size),
		Flags: fuse.FUSE_SETUPMAPPING_FLAG_READ, Moffset: uint64(start),
	}
	if !h.open {
		in.Fh = ^uint64(0) // as Linux: by nodeid
	}
	if write {
		h.wrote.Store(true)
		n.mapped.Store(true) // what is written there passes by the data kept here
		n.dropData()
		in.Flags |= fuse.FUSE_SETUPMAPPING_FLAG_WRITE
	}
	r := f.request(fuse.FUSE_SETUPMAPPING, n.id)
	r.buf = in.AppendTo(r.buf)
	_, err = f.call(r, 0)
	f.done(r)
	if err != nil {
		w.release(extent{start, size})
		if f.remember(fuse.FUSE_SETUPMAPPING, err) == syscall.ENOSYS {
			err = syscall.ENODEV
		}
		return nil, err
	}
	n.Ref()
	at := start + skip
	return &mapping{node: n, at: extent{start, size}, bytes: w.mem[at : at+length : at+length]}, nil
}

// Bytes implements fs.Mapping.
func (m *mapping) Bytes() []byte { return m.bytes }

// Unmap implements fs.Mapping with REMOVEMAPPING. If that fails, the part of
// the window stays out of use: the file may still be behind it.
func (m *mapping) Unmap() (err error) {
	m.once.Do(func() {
		f := m.node.fs
		in := fuse.RemovemappingIn{Count: 1}
		one := fuse.RemovemappingOne{Moffset: uint64(m.at.start), Len: uint64(m.at.length)}
		r := f.request(fuse.FUSE_REMOVEMAPPING, m.node.id)
		r.buf = one.AppendTo(in.AppendTo(r.buf))
		_, err = f.call(r, 0)
		f.done(r)
		if err == nil {
			f.window.release(m.at)
		}
		m.node.Unref()
	})
	return err
}
