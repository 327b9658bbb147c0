package fusefs

import (
	"sync/atomic"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// plusPolicy learns whether those who list directories go on to look at the
// entries. If they do, READDIRPLUS saves a LOOKUP for each; if not, the server
// looks up each entry in vain, which takes it far longer than to list the name.
type plusPolicy struct{ score atomic.Int32 }

const (
	// plusLow and plusHigh bound the score. At plusLow nothing but names is
	// asked for, up to 0 the attributes of the first entries of a directory,
	// above that those of about as many more as the score says: so that is also
	// the most that is asked for in vain.
	plusLow  = -64
	plusHigh = 1024

	// What an event counts. A LOOKUP that an entry with attributes would have
	// saved takes as long as a number of such entries.
	plusGiven  = -1
	plusUsed   = 2
	plusMissed = 8
	// plusHope is the most that missed attributes make of the score: a program
	// may look up names that somebody else has listed.
	plusHope = 64

	// plusFirst is the size of the READDIRPLUS for the first entries of a
	// directory, in bytes: some 24 of them.
	plusFirst = pageSize
	// plusEntry is about what an entry takes, in bytes.
	plusEntry = 160
)

// add changes the score by n, upwards no further than to high.
func (p *plusPolicy) add(n, high int) {
	for {
		old := p.score.Load()
		if n > 0 && int(old) >= high {
			return
		}
		score := int32(max(min(int(old)+n, high), plusLow))
		if score == old || p.score.CompareAndSwap(old, score) {
			return
		}
	}
}

// wantPlus chooses between READDIRPLUS and READDIR for the entries behind
// cookie, and how many bytes of them to ask for. plain: names will do.
func (f *FS) wantPlus(cookie uint64, plain bool) (plus bool, size int) {
	size = min(dirBufSize, f.session.maxRead)
	switch {
	case plain && !f.nosys[fuse.FUSE_READDIR].Load():
		return false, size
	case !f.session.has(fuse.FUSE_DO_READDIRPLUS) || f.nosys[fuse.FUSE_READDIRPLUS].Load():
		return false, size
	case !f.session.has(fuse.FUSE_READDIRPLUS_AUTO) || f.nosys[fuse.FUSE_READDIR].Load():
		return true, size
	}
	switch score := f.plus.score.Load(); {
	case score > 0:
		return true, min(size, plusFirst+int(score)*plusEntry)
	case score > plusLow && cookie == 0:
		return true, min(size, plusFirst)
	}
	return false, size
}

// lookedUp notes that e is the answer to a LOOKUP in n. If n was listed by its
// names so recently that e's attributes would still hold, they were missed.
func (n *node) lookedUp(e *fs.Entry) {
	if e.Node == nil || e.Valid <= 0 {
		return
	}
	if at := n.listed.Load(); at != 0 && n.fs.now()-at < int64(e.Valid) {
		n.fs.plus.add(plusMissed, plusHope)
	}
}
