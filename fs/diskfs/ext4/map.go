package ext4

import (
	"sync"

	"github.com/yolkos/yolk/fs/diskfs"
)

// reader reads the bytes of an inode.
type reader struct {
	*inode
	bytes uint64 // i_size

	mu   sync.Mutex
	last run // the one that was used last
}

// run is count blocks of a file from file on, which are on the disk one after the other from
// disk on. Where that is 0 there are none: they read as zeroes.
type run struct{ file, count, disk uint64 }

// ReadAt implements io.ReaderAt. P ends where the file does at the latest.
func (r *reader) ReadAt(p []byte, off int64) (n int, err error) {
	size := r.f.blockSize
	for n < len(p) {
		at := uint64(off) + uint64(n)
		x, err := r.find(at / size)
		if err != nil {
			return n, err
		}
		skip := at - x.file*size
		part := p[n:]
		part = part[:min(uint64(len(part)), x.count*size-skip)]
		if x.disk == 0 {
			clear(part)
		} else if err := r.f.disk.Read(part, x.disk*size+skip, r.table(), "i_block"); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

// find returns the run that has a block.
func (r *reader) find(block uint64) (run, error) {
	r.mu.Lock()
	x := r.last
	r.mu.Unlock()
	if x.count > 0 && block >= x.file && block-x.file < x.count {
		return x, nil
	}
	var err error
	if r.flags()&flagExtents != 0 {
		x, err = r.extent(block)
	} else {
		x, err = r.indirect(block)
	}
	switch {
	case err != nil:
		return x, err
	case x.disk != 0 && (x.disk >= r.f.blocks || x.count > r.f.blocks-x.disk):
		return x, r.corrupt("i_block", x.disk, "%d blocks below %d, s_blocks_count", x.count, r.f.blocks)
	}
	r.mu.Lock()
	r.last = x
	r.mu.Unlock()
	return x, nil
}

const (
	extentMagic    = 0xf30a
	extentDepth    = 5       // at most
	extentWritten  = 1 << 15 // blocks of an extent; with more, it is one of zeroes
	blocksOfAFile  = 1 << 32
	extentNodeSize = 12 // of the header of a node, and of each entry
)

// extent goes down the tree of extents to the run of a block.
func (r *reader) extent(block uint64) (run, error) {
	b, low, end := r.iblock(), uint64(0), uint64(blocksOfAFile)
	for depth := -1; ; {
		entries, most, d := int(le.Uint16(b[2:])), len(b)/extentNodeSize-1, int(le.Uint16(b[6:]))
		switch {
		case le.Uint16(b) != extentMagic:
			return run{}, r.corrupt("extent header: eh_magic", uint64(le.Uint16(b)), "%#x", extentMagic)
		case entries > most:
			return run{}, r.corrupt("extent header: eh_entries", uint64(entries), "at most %d", most)
		case depth < 0 && d > extentDepth:
			return run{}, r.corrupt("extent header: eh_depth", uint64(d), "at most %d", extentDepth)
		case depth >= 0 && d != depth:
			return run{}, r.corrupt("extent header: eh_depth", uint64(d), "%d, one less than above", depth)
		}
		// The last entry that begins at the block or before it; the next one ends what it has.
		var e []byte
		prev := int64(-1)
		for i := 1; i <= entries; i++ {
			next := b[i*extentNodeSize:][:extentNodeSize]
			first := uint64(le.Uint32(next))
			if int64(first) <= prev || first < low || first >= end {
				return run{}, r.corrupt("extent: ee_block", first, "more than the one before, %d, and below %d", prev, end)
			}
			if prev = int64(first); first > block {
				end = first
				break
			}
			e, low = next, first
		}
		switch {
		case e == nil: // a hole, up to the first of them
			return run{file: block, count: end - block}, nil
		case d > 0:
			child := uint64(le.Uint32(e[4:])) | uint64(le.Uint16(e[8:]))<<32
			if child == 0 || child >= r.f.blocks {
				return run{}, r.corrupt("extent index: ei_leaf", child, "1 to %d, a block", r.f.blocks-1)
			}
			var err error
			if b, err = r.f.block(child, r.table(), "extent index: ei_leaf"); err != nil {
				return run{}, err
			}
			depth = d - 1
			continue
		}
		count, disk := uint64(le.Uint16(e[4:])), uint64(le.Uint32(e[8:]))|uint64(le.Uint16(e[6:]))<<32
		if count > extentWritten {
			count, disk = count-extentWritten, 0
		} else if disk == 0 {
			return run{}, r.corrupt("extent: ee_start", disk, "a block")
		}
		switch {
		case count == 0 || count > end-low:
			return run{}, r.corrupt("extent: ee_len", count, "1 to %d, where the next one begins", end-low)
		case block-low < count:
			return run{low, count, disk}, nil
		}
		return run{file: low + count, count: end - low - count}, nil
	}
}

// indirect finds a block by the lists of numbers of ext2: 12 in the inode, then those of one,
// two and three blocks with the numbers of others.
func (r *reader) indirect(block uint64) (run, error) {
	const direct = 12
	if block < direct {
		return run{block, 1, uint64(le.Uint32(r.iblock()[4*block:]))}, nil
	}
	per := r.f.blockSize / 4
	rest, span := block-direct, per // span: blocks that the list of the level has
	for level := uint64(0); level < 3; level++ {
		if rest >= span {
			rest -= span
			span *= per
			continue
		}
		next := uint64(le.Uint32(r.iblock()[4*(direct+level):]))
		for ; next != 0 && span > 1; rest %= span {
			if next >= r.f.blocks {
				return run{}, r.corrupt("i_block", next, "below %d, s_blocks_count", r.f.blocks)
			}
			b, err := r.f.block(next, r.table(), "i_block")
			if err != nil {
				return run{}, err
			}
			span /= per
			next = uint64(le.Uint32(b[4*(rest/span):]))
		}
		return run{block, 1, next}, nil
	}
	return run{}, r.corrupt("i_size", r.bytes, "at most what three levels of blocks have")
}

var _ diskfs.Volume = (*FS)(nil)
