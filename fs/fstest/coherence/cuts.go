package coherence

import (
	"encoding/binary"
	"fmt"
)

// checkCuts reports truncations of a file that cannot have happened at one time.
// What is found behind the new end after one is over was written after it; and it
// came after calls that still found what was there before. Only bytes at the given
// places are looked at.
func checkCuts(x *extent, list []touch, places []int64) error {
	writers := map[uint64]touch{}
	for _, t := range list {
		if t.read == nil && t.value != 0 {
			writers[t.value] = t
		}
	}
	for i, c := range x.cut {
		var before, after sized // calls before whose end and after whose beginning it happened
		before.end, after.start = forever, -1
		for _, t := range list {
			for _, at := range places {
				if t.read == nil || at < max(t.off, c.size) || t.end < at+8 {
					continue
				}
				w, ok := writers[binary.LittleEndian.Uint64(t.read[at-t.off:])]
				if !ok {
					continue
				}
				if c.before(t.interval) && w.end < before.end {
					before = sized{interval: w.interval, by: w.by}
				}
				if w.before(c.interval) && t.start > after.start {
					after = sized{interval: t.interval, by: t.by}
				}
			}
		}
		for _, s := range x.seen {
			if !s.most && s.size > c.size && s.start > after.start && !x.regrown(i, s.size) {
				after = s
			}
		}
		if before.end < after.start {
			return fmt.Errorf("%s: %v came before %v, whose bytes were found afterwards, and after %v, which has not seen it", x.of, c, before, after)
		}
	}
	return nil
}

// regrown reports whether a call may have made the file size bytes long after
// cut[i].
func (x *extent) regrown(i int, size int64) bool {
	for k, list := range [][]sized{x.grown, x.cut} {
		for j, w := range list {
			if w.size >= size && !w.before(x.cut[i].interval) && (k == 0 || i != j) {
				return true
			}
		}
	}
	return false
}
