package erofs

import "fmt"

// Kinds of logical clusters.
const (
	kindPlain   = iota // an extent begins here, and is not compressed
	kindHead1          // of the first algorithm
	kindNonHead        // none begins here
	kindHead2          // of the second one
)

// blockCount marks the number of blocks of a physical cluster, where the distance to its head would be
// one: Z_EROFS_LI_D0_CBLKCNT.
const blockCount = 1 << 11

// index is what is known of a logical cluster.
type index struct {
	kind   int
	start  uint64 // of the extent that begins here, in bytes of the cluster
	block  uint64 // where its physical cluster is
	back   uint64 // how many clusters before this one an extent begins that goes on here
	blocks uint64 // of its physical cluster, if this is the one behind the head
	part   bool   // the extent that begins here is not all of its physical cluster
}

func (x index) begins() bool { return x.kind != kindNonHead }

// goesOn tells of a cluster where no extent begins, by its low bits.
func goesOn(low uint64) index {
	if low&blockCount != 0 {
		return index{kind: kindNonHead, back: 1, blocks: low &^ blockCount}
	}
	return index{kind: kindNonHead, back: low}
}

// index reads the index of a logical cluster.
func (r *clusters) index(n uint64) (index, error) {
	if n >= r.count {
		return index{}, r.corrupt("number of an index", n, "below %d, as the file has", r.count)
	}
	var x index
	var err error
	if r.layout == layoutFullIndex {
		x, err = r.fullIndex(n)
	} else {
		x, err = r.compactIndex(n)
	}
	if err == nil && x.begins() && x.start >= 1<<r.bits {
		err = r.corrupt(fmt.Sprintf("index %d: di_clusterofs", n), x.start, "below %d, a logical cluster", 1<<r.bits)
	}
	return x, err
}

// fullIndex reads a struct z_erofs_lcluster_index.
func (r *clusters) fullIndex(n uint64) (index, error) {
	const partial = 1 << 15 // not all of the physical cluster belongs to the extent
	at, _ := r.indexPlace(n)
	var b [8]byte
	if err := r.f.readMeta(b[:], at, r.table(), fmt.Sprintf("index %d", n)); err != nil {
		return index{}, err
	}
	advise := le.Uint16(b[:])
	if kind := int(advise & 3); kind != kindNonHead {
		return index{kind: kind, part: advise&partial != 0, start: uint64(le.Uint16(b[2:])), block: uint64(le.Uint32(b[4:]))}, nil
	}
	return goesOn(uint64(le.Uint16(b[4:]))), nil
}

// Compact indexes stand in packs of 2 with 16 bits each, or of 16 with 14 bits each. A pack ends
// with 4 bytes: the block before its first extent's, or that one's own if they have big clusters.
type pack struct {
	b     [32]byte
	count int // of indexes
	size  int // in bytes
	low   uint
}

// at returns the kind of an index of a pack, and its low bits.
func (p *pack) at(i int) (kind int, low uint64) {
	bit := uint(i) * uint((p.size-4)*8/p.count)
	v := uint64(p.b[bit/8]) | uint64(p.b[bit/8+1])<<8 | uint64(p.b[bit/8+2])<<16
	v >>= bit % 8
	return int(v >> p.low & 3), v & (1<<p.low - 1)
}

// blocksBefore is how many blocks there are from the one that the pack tells to that of the
// extent that begins at its index i.
func (r *clusters) blocksBefore(p *pack, n uint64, i int) (uint64, error) {
	big := r.advise&(adviseBig1|adviseBig2) != 0
	blocks := uint64(1)
	if big {
		blocks = 0
	}
	for j := range i {
		switch kind, low := p.at(j); {
		case kind != kindNonHead:
			next, l := p.at(j + 1)
			if !big || next != kindNonHead {
				blocks++
			} else if l&blockCount == 0 {
				return 0, r.corrupt(fmt.Sprintf("index %d: number of blocks", n-uint64(i-j-1)), l, "at least %d", blockCount)
			}
		case big && low&blockCount != 0:
			blocks += low &^ blockCount
		}
	}
	return blocks, nil
}

// indexPlace is where an index is, in bytes of the disk, and how large the pack that it is in, which
// begins at a multiple of that.
func (r *clusters) indexPlace(n uint64) (at, size uint64) {
	if r.layout == layoutFullIndex {
		return r.list + 8*n, 8
	}
	// Those of 2 bytes are in packs of 32, those of 4 bytes before and behind them in packs of 8.
	before := (32 - r.list%32) % 32 / 4
	var short uint64
	if r.advise&adviseCompacted2B != 0 && before < r.count {
		short = (r.count - before) &^ 15
	}
	switch {
	case n < before:
		return r.list + 4*n, 8
	case n < before+short:
		return r.list + 4*before + 2*(n-before), 32
	}
	return r.list + 4*before + 2*short + 4*(n-before-short), 8
}

// compactIndex reads an index of a pack.
func (r *clusters) compactIndex(n uint64) (index, error) {
	at, size := r.indexPlace(n)
	p := pack{count: 2, size: int(size), low: max(r.bits, 12)}
	if size == 32 {
		p.count = 16
	}
	if err := r.f.readMeta(p.b[:size], at&^(size-1), r.table(), fmt.Sprintf("pack of index %d", n)); err != nil {
		return index{}, err
	}
	i := int(at%size) * p.count / p.size
	kind, low := p.at(i)
	if kind == kindNonHead {
		if low&blockCount == 0 && i == p.count-1 {
			// The last one tells the distance to the next head; that to its own is by the one before.
			before, l := p.at(i - 1)
			switch {
			case before != kindNonHead:
				l = 0
			case l&blockCount != 0:
				l = 1
			}
			return index{kind: kindNonHead, back: l + 1}, nil
		}
		return goesOn(low), nil
	}
	blocks, err := r.blocksBefore(&p, n, i)
	return index{kind: kind, start: low, block: uint64(le.Uint32(p.b[p.size-4:])) + blocks}, err
}
