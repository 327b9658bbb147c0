package erofs

import (
	"fmt"
	"io"
	"sync"
	"syscall"
)

// What h_advise of a compressed file says.
const (
	adviseCompacted2B = 0x1 // some indexes are of 2 bytes
	adviseBig1        = 0x2 // several blocks in a physical cluster, of the first algorithm
	adviseBig2        = 0x4 // of the second one
	adviseInline      = 0x8 // the last physical cluster is behind the indexes
	adviseInterlaced  = 0x10
	adviseFragment    = 0x20 // the last extent is a part of the packed inode
	adviseKnown       = adviseCompacted2B | adviseBig1 | adviseBig2 | adviseInline | adviseInterlaced | adviseFragment
)

// Limits of a physical cluster, in bytes: Z_EROFS_PCLUSTER_MAX_SIZE and _MAX_DSIZE.
const (
	maxPacked   = 1 << 20
	maxUnpacked = 12 << 20
)

// clusters reads a compressed file: a list of extents, each of them uncompressed from a
// physical cluster. They begin anywhere in a logical cluster, of which an index tells.
type clusters struct {
	*inode
	bits   uint   // of a logical cluster, in bytes
	list   uint64 // where the indexes are, in bytes of the disk
	count  uint64 // of logical clusters
	advise uint16
	inline uint64 // h_idata_size
	unpack [2]decompressor

	fragment uint64 // where in the packed inode the last extent is, its low half

	mu   sync.Mutex
	last extent // the one that was used last
}

// extent is size bytes of a file from at on, made of the packed ones at a place of the disk.
type extent struct {
	at, size      uint64
	place, packed uint64
	unpack        decompressor // nil: they are as they are
	meta          bool         // behind the indexes
	part          bool         // they make more
	fragment      bool         // in the packed inode instead
}

// clusterKey is what an uncompressed extent is kept by.
type clusterKey struct{ nid, at uint64 }

func newClusters(i *inode) (io.ReaderAt, error) {
	r := &clusters{inode: i, bits: i.f.bits, list: align(i.end, 8), unpack: [2]decompressor{unlz4, unlz4}}
	if i.f.headers || i.layout == layoutCompactIndex {
		var b [8]byte // struct z_erofs_map_header
		if err := i.f.readMeta(b[:], r.list, i.table(), "map header"); err != nil {
			return nil, err
		}
		if b[7]&0x80 != 0 {
			return newFragment(i, le.Uint64(b[:])&^(1<<63), i.size)
		}
		r.inline, r.advise, r.bits = uint64(le.Uint16(b[2:])), le.Uint16(b[4:]), i.f.bits+uint(b[7]&7)
		switch {
		case r.advise&^adviseKnown != 0:
			return nil, i.unsupported("h_advise", "%#x is not supported, bits of %#x are", r.advise, adviseKnown)
		case b[7]&0x78 != 0:
			return nil, i.corrupt("h_clusterbits", uint64(b[7]), "at most 7")
		}
		for n := range r.unpack {
			id := int(b[6]>>(4*n)) & 15
			if id >= len(algorithms) {
				return nil, i.unsupported("h_algorithmtype", "number %d is not supported, there are %d", id, len(algorithms))
			}
			r.unpack[n] = algorithms[id]
		}
		if r.advise&adviseFragment != 0 {
			r.fragment = uint64(le.Uint32(b[:]))
		}
	}
	r.list += 8
	if i.layout == layoutFullIndex {
		r.list += 8
	} else if r.bits > 14 || r.bits > 12 && r.advise&adviseCompacted2B != 0 {
		return nil, i.unsupported("h_clusterbits", "compact indexes of logical clusters of %d bytes are not supported", 1<<r.bits)
	}
	r.count = (i.size + 1<<r.bits - 1) >> r.bits
	if limit := uint64(i.f.disk.Size) / 2; r.count > limit { // of indexes of 2 bytes
		return nil, i.corrupt("i_size", i.size, "at most %d clusters of %d bytes, as the disk has room for their indexes", limit, 1<<r.bits)
	}
	return r, nil
}

// ReadAt implements io.ReaderAt. P ends where the file does at the latest.
func (r *clusters) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at := uint64(off) + uint64(n)
		x, err := r.find(at)
		if err != nil {
			return n, err
		}
		if x.fragment {
			part, err := newFragment(r.inode, x.place, x.size)
			if err != nil {
				return n, err
			}
			m, err := part.ReadAt(p[n:][:min(uint64(len(p)-n), x.size-(at-x.at))], int64(at-x.at))
			if n += m; err != nil {
				return n, err
			}
			continue
		}
		data, err := r.f.clusters.Get(clusterKey{r.nid, x.at}, func() ([]byte, error) { return r.unpacked(x) })
		if err != nil {
			return n, err
		}
		n += copy(p[n:], data[at-x.at:])
	}
	return n, nil
}

// unpacked makes the bytes of an extent.
func (r *clusters) unpacked(x extent) ([]byte, error) {
	field := fmt.Sprintf("extent at %d", x.at)
	if x.size > maxUnpacked || x.unpack == nil && x.size > x.packed {
		return nil, r.corrupt(field+": size", x.size, "what %d bytes make", x.packed)
	}
	packed := make([]byte, x.packed)
	var err error
	if x.meta {
		err = r.f.readMeta(packed, x.place, r.table(), field)
	} else {
		err = r.f.disk.Read(packed, x.place, r.table(), field)
	}
	switch {
	case err != nil:
		return nil, err
	case x.unpack == nil:
		return r.plain(packed, x)
	}
	// Where zeroes are before the block, there are none behind it.
	for r.f.padded && len(packed) > 0 && packed[0] == 0 {
		packed = packed[1:]
	}
	out := make([]byte, x.size)
	if err := x.unpack(out, packed, r.f.padded && !x.part); err != nil {
		return nil, fmt.Errorf("%s: %s: %w: %w", r.table(), field, err, syscall.EUCLEAN)
	}
	return out, nil
}

// plain returns an extent that is not compressed. Interlaced ones have each byte at its place in a block of
// the file, where that is the last block here; what crosses its end is at the beginning.
func (r *clusters) plain(packed []byte, x extent) ([]byte, error) {
	if r.advise&adviseInterlaced == 0 {
		return packed[:x.size], nil
	}
	first := r.f.blockSize() - x.at&(r.f.blockSize()-1)
	if first > uint64(len(packed)) {
		return nil, r.corrupt(fmt.Sprintf("extent at %d: size", x.at), uint64(len(packed)), "at least %d, to the end of a block", first)
	}
	out := make([]byte, x.size)
	n := copy(out, packed[uint64(len(packed))-first:])
	copy(out[n:], packed)
	return out, nil
}

// find returns the extent that has the byte at a place of the file.
func (r *clusters) find(at uint64) (extent, error) {
	r.mu.Lock()
	x := r.last
	r.mu.Unlock()
	if at >= x.at && at-x.at < x.size {
		return x, nil
	}
	x, err := r.extent(at)
	if err != nil {
		return x, err
	}
	r.mu.Lock()
	r.last = x
	r.mu.Unlock()
	return x, nil
}

// extent goes back to the cluster where the extent begins, and on to where the next one does.
func (r *clusters) extent(at uint64) (x extent, err error) {
	n := at >> r.bits
	head, err := r.index(n)
	for farthest := uint64(maxUnpacked>>r.bits) + 1; err == nil && (!head.begins() || n<<r.bits+head.start > at); {
		back := uint64(1)
		if !head.begins() {
			back = head.back
		}
		if back == 0 || back > n || back > farthest {
			return x, r.corrupt(fmt.Sprintf("index %d: distance to the first one", n), back, "1 to %d", min(n, farthest))
		}
		n, farthest = n-back, farthest-back
		head, err = r.index(n)
	}
	if err != nil {
		return x, err
	}
	x = extent{at: n<<r.bits + head.start, place: head.block << r.f.bits, part: head.part}
	switch head.kind {
	case kindHead1:
		x.unpack = r.unpack[0]
	case kindHead2:
		x.unpack = r.unpack[1]
	}
	end, next := r.size, n+1
	var first index // behind the head
	for ; next < r.count; next++ {
		if next<<r.bits > x.at+maxUnpacked {
			return x, r.corrupt(fmt.Sprintf("extent at %d: size", x.at), (next<<r.bits)-x.at, "at most %d", maxUnpacked)
		}
		i, err := r.index(next)
		if err != nil {
			return x, err
		}
		if next == n+1 {
			first = i
		}
		if i.begins() {
			end = min(end, next<<r.bits+i.start)
			break
		}
	}
	if x.at >= end || at >= end {
		return x, r.corrupt(fmt.Sprintf("index %d: di_clusterofs", n), head.start, "a place before the end at %d", end)
	}
	x.size = end - x.at
	if r.advise&adviseInline != 0 && end == r.size {
		x.meta = true
		return x, r.inlined(&x)
	}
	if r.advise&adviseFragment != 0 && end == r.size {
		x.fragment, x.place = true, r.fragment
		if r.layout == layoutFullIndex { // has room for the high half
			x.place |= head.block << 32
		}
		return x, nil
	}
	x.packed = 1 << r.bits
	if head.kind == kindHead1 && r.advise&adviseBig1 != 0 || head.kind == kindHead2 && r.advise&adviseBig2 != 0 {
		// The first index that is not a head has how many blocks there are; without one there is
		// room for one logical cluster.
		if n+1 < r.count && !first.begins() {
			x.packed = first.blocks << r.f.bits
		}
	}
	if x.packed == 0 || x.packed > maxPacked {
		return x, r.corrupt(fmt.Sprintf("index %d: number of blocks", n+1), x.packed>>r.f.bits, "1 to %d", maxPacked>>r.f.bits)
	}
	return x, nil
}

// inlined finds the last extent, which is behind the indexes.
func (r *clusters) inlined(x *extent) error {
	at, size := r.indexPlace(r.count - 1)
	x.place, x.packed = at&^(size-1)+size, r.inline
	if room := r.f.blockSize() - x.place&(r.f.blockSize()-1); x.packed == 0 || x.packed > room {
		return r.corrupt("h_idata_size", x.packed, "1 to %d, to the end of a block", room)
	}
	return nil
}
