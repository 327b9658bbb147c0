package erofs

// flat reads a file whose blocks are one after the other, of which the last one may be
// behind the inode.
type flat struct{ *inode }

// ReadAt implements io.ReaderAt. P ends where the file does at the latest.
func (r flat) ReadAt(p []byte, off int64) (int, error) {
	at, whole := uint64(off), r.size
	if r.layout == layoutInline && r.size > 0 {
		whole = (r.size - 1) &^ (r.f.blockSize() - 1)
	}
	n := 0
	if at < whole {
		n = int(min(uint64(len(p)), whole-at))
		if err := r.f.disk.Read(p[:n], uint64(r.union)<<r.f.bits+at, r.table(), "i_u.raw_blkaddr"); err != nil {
			return 0, err
		}
		at += uint64(n)
	}
	if p = p[n:]; len(p) == 0 {
		return n, nil
	}
	if room := r.f.blockSize() - r.end&(r.f.blockSize()-1); r.size-whole > room {
		return n, r.corrupt("i_size", r.size, "at most %d bytes inline, to the end of their block", room)
	}
	if err := r.f.readMeta(p, r.end+at-whole, r.table(), "inline data"); err != nil {
		return n, err
	}
	return n + len(p), nil
}

// Forms of chunks, in i_u.c.format.
const (
	chunkBits    = 0x1f // a chunk has as many blocks, as a power of two
	chunkIndexes = 0x20 // of 8 bytes: struct erofs_inode_chunk_index
	chunkHole    = 0xffffffff
)

// chunks reads a file of chunks of one size, with a list of where they are.
type chunks struct {
	*inode
	bits  uint   // of a chunk, in bytes
	list  uint64 // where the list is, in bytes of the disk
	entry uint64 // of the list, in bytes
}

func newChunks(i *inode) (*chunks, error) {
	format := i.union & 0xffff
	if format&^(chunkBits|chunkIndexes) != 0 {
		return nil, i.unsupported("i_u.c.format", "%#x is not supported, bits of %#x are", format, chunkBits|chunkIndexes)
	}
	r := &chunks{inode: i, bits: i.f.bits + uint(format&chunkBits), entry: 4}
	if format&chunkIndexes != 0 {
		r.entry = 8
	}
	r.list = align(i.end, r.entry)
	return r, nil
}

// ReadAt implements io.ReaderAt. P ends where the file does at the latest.
func (r *chunks) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at := uint64(off) + uint64(n)
		skip := at & (1<<r.bits - 1)
		part := p[n:]
		part = part[:min(uint64(len(part)), 1<<r.bits-skip)]
		var b [8]byte
		place, ok := sum(r.list, at>>r.bits, r.entry)
		if !ok {
			return n, r.corrupt("i_size", r.size, "as many chunks as the disk has room for")
		}
		if err := r.f.readMeta(b[8-r.entry:], place, r.table(), "list of chunks"); err != nil {
			return n, err
		}
		if block := le.Uint32(b[4:]); block == chunkHole {
			clear(part)
		} else if err := r.f.disk.Read(part, uint64(block)<<r.f.bits+skip, r.table(), "blkaddr of a chunk"); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

// sum is base + n*size, if that is a place on a disk.
func sum(base, n, size uint64) (at uint64, ok bool) {
	return base + n*size, base < 1<<62 && n < (1<<62)/size
}

// align rounds up to a multiple of a power of two.
func align(n, to uint64) uint64 { return (n + to - 1) &^ (to - 1) }
