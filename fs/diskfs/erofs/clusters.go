package erofs

import (
	"fmt"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs/diskfs"
)

// What h_advise of a compressed file says.
const (
	adviseCompacted2B = 0x1 // some indexes are of 2 bytes
	adviseBig1        = 0x2 // several blocks in a physical cluster, of the first algorithm
	adviseBig2        = 0x4 // of the second one
	adviseInline      = 0x8 // the last physical cluster is behind the indexes
	adviseKnown       = adviseCompacted2B | adviseBig1 | adviseBig2 | adviseInline
)

// algorithmLZ4 is Z_EROFS_COMPRESSION_LZ4.
const algorithmLZ4 = 0

// Algorithms by their numbers.
var algorithms = [...]string{"lz4", "lzma", "deflate", "zstd"}

func algorithmName(id int) string {
	if id < len(algorithms) {
		return algorithms[id]
	}
	return fmt.Sprint("algorithm ", id)
}

// lz4Most is how many bytes one byte of a block of LZ4 stands for at most.
const lz4Most = 255

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

	mu   sync.Mutex
	last extent // the one that was used last
}

// extent is size bytes of a file from at on, made of the packed ones at a place of the disk.
type extent struct {
	at, size      uint64
	place, packed uint64
	plain         bool // they are as they are
	meta          bool // behind the indexes
}

// clusterKey is what an uncompressed extent is kept by.
type clusterKey struct{ nid, at uint64 }

func newClusters(i *inode) (*clusters, error) {
	r := &clusters{inode: i, bits: i.f.bits, list: align(i.end, 8)}
	if i.f.headers || i.layout == layoutCompactIndex {
		var b [8]byte // struct z_erofs_map_header
		if err := i.f.readMeta(b[:], r.list, i.table(), "map header"); err != nil {
			return nil, err
		}
		r.inline, r.advise, r.bits = uint64(le.Uint16(b[2:])), le.Uint16(b[4:]), i.f.bits+uint(b[7]&7)
		switch {
		case r.advise&^adviseKnown != 0 || b[7]&0x80 != 0:
			return nil, i.unsupported("h_advise", "%#x, h_clusterbits: %#x: fragments and interlaced clusters are not supported", r.advise, b[7])
		case b[7]&0x78 != 0:
			return nil, i.corrupt("h_clusterbits", uint64(b[7]), "at most 7")
		}
		for shift := 0; shift < 8; shift += 4 {
			if id := int(b[6]>>shift) & 15; id != algorithmLZ4 {
				return nil, i.unsupported("h_algorithmtype", "%s is not supported", algorithmName(id))
			}
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
		data, err := r.f.clusters.Get(clusterKey{r.nid, x.at}, func() ([]byte, error) { return r.unpack(x) })
		if err != nil {
			return n, err
		}
		n += copy(p[n:], data[at-x.at:])
	}
	return n, nil
}

// unpack makes the bytes of an extent.
func (r *clusters) unpack(x extent) ([]byte, error) {
	field := fmt.Sprintf("extent at %d", x.at)
	if most := x.packed * lz4Most; x.plain && x.size > x.packed || x.size > most || x.size > maxUnpacked {
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
	case x.plain:
		return packed[:x.size], nil
	}
	// Where zeroes are before the block, there are none behind it.
	for r.f.padded && len(packed) > 0 && packed[0] == 0 {
		packed = packed[1:]
	}
	out := make([]byte, x.size)
	n, used, err := diskfs.LZ4(out, packed)
	if err == nil && (n < len(out) || r.f.padded && used < len(packed)) {
		err = fmt.Errorf("lz4: %d bytes of %d, from %d of %d", n, len(out), used, len(packed))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w: %w", r.table(), field, err, syscall.EUCLEAN)
	}
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
	x = extent{at: n<<r.bits + head.start, plain: head.kind == kindPlain, place: head.block << r.f.bits}
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
