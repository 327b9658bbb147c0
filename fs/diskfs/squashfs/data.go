package squashfs

import (
	"fmt"
	"sync"

	"github.com/yolkos/yolk/fs/diskfs"
)

// Sizes of blocks on the disk.
const (
	stored   = 1 << 24 // the block is as it is
	sizeMask = stored - 1
)

// reader reads the bytes of a regular file.
type reader struct {
	f *FS
	*inode
	blocks uint64 // that the list has; what is behind them is in a fragment

	mu     sync.Mutex
	places []blockPlace // of the blocks of which the list was read so far
	next   uint64       // where the block behind them is
}

// blockPlace is where a block of a file is, in bytes, and how large there: 0 is one of zeroes.
type blockPlace struct {
	at   uint64
	size uint32 // with stored
}

// maxBlocks is how many blocks of a file can be found, 64 MiB of places: 512 GiB of the usual
// 128 KiB.
const maxBlocks = 1 << 22

func newReader(f *FS, i *inode) (*reader, error) {
	r := &reader{f: f, inode: i, blocks: i.size / f.blockSize, next: i.start}
	if tail := i.size % f.blockSize; tail > 0 && i.fragment == noFragment {
		r.blocks++
	} else if tail > 0 && (i.fragment >= f.fragments || f.fragTable == noTable) {
		return nil, i.corrupt("fragment", uint64(i.fragment), "below %d, fragments", f.fragments)
	}
	if r.blocks > maxBlocks {
		return nil, i.corrupt("file_size", i.size, "at most %d", maxBlocks*f.blockSize)
	}
	return r, nil
}

// ReadAt implements io.ReaderAt. P ends where the file does at the latest.
func (r *reader) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at := uint64(off) + uint64(n)
		block, skip := at/r.f.blockSize, at%r.f.blockSize
		part := p[n:]
		part = part[:min(uint64(len(part)), r.f.blockSize-skip)]
		data, err := r.block(block)
		switch {
		case err != nil:
			return n, err
		case data == nil:
			clear(part)
		case skip+uint64(len(part)) > uint64(len(data)):
			return n, r.corrupt(fmt.Sprintf("block %d: bytes", block), uint64(len(data)), "at least %d", skip+uint64(len(part)))
		default:
			copy(part, data[skip:])
		}
		n += len(part)
	}
	return n, nil
}

// block returns what there is of a block, nil: zeroes.
func (r *reader) block(n uint64) ([]byte, error) {
	if n >= r.blocks {
		return r.tail()
	}
	place, err := r.place(n)
	if err != nil || place.size == 0 {
		return nil, err
	}
	return r.f.block(place, r.table(), fmt.Sprintf("block_list[%d]", n))
}

// place finds a block, for which the sizes of those before it are added up.
func (r *reader) place(n uint64) (blockPlace, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for uint64(len(r.places)) <= n {
		var b [4]byte
		if err := r.rest.read(b[:]); err != nil {
			return blockPlace{}, err
		}
		size := le.Uint32(b[:])
		r.places = append(r.places, blockPlace{r.next, size})
		r.next += uint64(size & sizeMask)
	}
	return r.places[n], nil
}

// tail returns the end of the file, which is in a fragment with those of others.
func (r *reader) tail() ([]byte, error) {
	e, err := r.f.list(r.f.fragTable, uint64(r.fragment), 1, 16, "fragment table")
	if err != nil {
		return nil, err
	}
	table := fmt.Sprintf("fragment %d", r.fragment)
	data, err := r.f.block(blockPlace{le.Uint64(e), le.Uint32(e[8:])}, table, "size")
	if err != nil {
		return nil, err
	}
	if uint64(r.offset) > uint64(len(data)) {
		return nil, r.corrupt("offset", uint64(r.offset), "at most %d, its fragment", len(data))
	}
	return data[r.offset:], nil
}

// block reads a block of data, which a field of a table has told.
func (f *FS) block(p blockPlace, table, field string) ([]byte, error) {
	size := uint64(p.size & sizeMask)
	if size == 0 || size > f.blockSize || p.size&^(stored|sizeMask) != 0 {
		return nil, diskfs.Table(table).Corrupt(field, uint64(p.size), "1 to %d bytes", f.blockSize)
	}
	// Where the same bytes are in use both ways, they are two blocks.
	key := p.at << 1
	if p.size&stored != 0 {
		key |= 1
	}
	return f.data.Get(key, func() ([]byte, error) {
		b := make([]byte, size)
		if err := f.disk.Read(b, p.at, table, field); err != nil || p.size&stored != 0 {
			return b, err
		}
		return f.unpacked(b, f.blockSize, f.blockSize, table, field)
	})
}

var _ diskfs.Volume = (*FS)(nil)
