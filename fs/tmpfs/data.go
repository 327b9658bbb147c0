package tmpfs

// chunkSize is the most that one piece of a file's contents holds.
const chunkSize = 64 << 10

// data is the contents of a regular file: chunks by their index. A missing
// chunk and what lies behind the end of a short one read as zeros.
type data struct {
	size   int64
	pages  int64 // that the chunks take, as they are counted
	chunks map[int64][]byte
	freed  bool
}

func pagesOf(c []byte) int64 { return int64(len(c)+pageSize-1) / pageSize }

// read fills p from off, which is at least 0, up to the end of the file.
func (d *data) read(p []byte, off int64) int {
	if off >= d.size {
		return 0
	}
	if left := d.size - off; int64(len(p)) > left {
		p = p[:left]
	}
	for n := 0; n < len(p); {
		at := off + int64(n)
		in := int(at % chunkSize)
		part := p[n:min(len(p), n+chunkSize-in)]
		done := 0
		if c := d.chunks[at/chunkSize]; in < len(c) {
			done = copy(part, c[in:])
		}
		clear(part[done:])
		n += len(part)
	}
	return len(p)
}

// write copies p to off as far as reserve grants the pages for it, and
// returns how much that was.
func (d *data) write(p []byte, off int64, reserve func(int64) bool) int {
	n := 0
	for n < len(p) {
		at := off + int64(n)
		in := int(at % chunkSize)
		part := p[n:min(len(p), n+chunkSize-in)]
		c := d.chunks[at/chunkSize]
		if end := in + len(part); end > len(c) {
			more := int64(end+pageSize-1)/pageSize - pagesOf(c)
			if !reserve(more) {
				break
			}
			d.pages += more
			c = grow(c, end)
			if d.chunks == nil {
				d.chunks = make(map[int64][]byte)
			}
			d.chunks[at/chunkSize] = c
		}
		n += copy(c[in:], part)
	}
	if end := off + int64(n); n > 0 && end > d.size {
		d.size = end
	}
	return n
}

// grow returns c with length n, zeros added, and room for more.
func grow(c []byte, n int) []byte {
	if n <= cap(c) {
		old := len(c)
		c = c[:n]
		clear(c[old:])
		return c
	}
	room := chunkSize
	if n < chunkSize/2 {
		room = max(64, cap(c))
		for room < n {
			room *= 2
		}
	}
	more := make([]byte, n, room)
	copy(more, c)
	return more
}

// resize sets the size and returns how many pages that set free.
func (d *data) resize(size int64) (freed int64) {
	if size < d.size {
		freed = d.trim(size)
	}
	d.size = size
	return freed
}

// trim drops what lies behind size and returns how many pages that set free.
func (d *data) trim(size int64) (freed int64) {
	last := size / chunkSize
	if (d.size-size)/chunkSize < int64(len(d.chunks)) && size < d.size {
		for i := last; i*chunkSize < d.size; i++ {
			freed += d.cut(i, last, size)
		}
	} else {
		for i := range d.chunks {
			freed += d.cut(i, last, size)
		}
	}
	d.pages -= freed
	return freed
}

// cut drops what chunk i has behind size, which lies in chunk last.
func (d *data) cut(i, last, size int64) (freed int64) {
	c, ok := d.chunks[i]
	in := int(size % chunkSize)
	switch {
	case !ok || i < last || i == last && len(c) <= in:
		return 0
	case i == last && in > 0:
		d.chunks[i] = append(make([]byte, 0, in), c[:in]...)
		return pagesOf(c) - pagesOf(c[:in])
	}
	delete(d.chunks, i)
	return pagesOf(c)
}

// seek finds the next data (or, hole set, the next hole) at or behind off,
// which lies inside the file. -1: there is no more data.
func (d *data) seek(off int64, hole bool) int64 {
	for off < d.size {
		c := d.chunks[off/chunkSize]
		in := off % chunkSize
		if (in < int64(len(c))) != hole {
			return off
		}
		if hole {
			off += int64(len(c)) - in
		} else {
			off = d.nextChunk(off/chunkSize) * chunkSize
		}
	}
	if hole {
		return d.size
	}
	return -1
}

// nextChunk is the index of the first chunk behind i, or one behind the end.
func (d *data) nextChunk(i int64) int64 {
	best := d.size/chunkSize + 1
	if best-i < int64(len(d.chunks)) {
		for i++; i < best; i++ {
			if _, ok := d.chunks[i]; ok {
				return i
			}
		}
		return best
	}
	for j := range d.chunks {
		if j > i && j < best {
			best = j
		}
	}
	return best
}
