package fusefs

import (
	"sync/atomic"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

type opStats struct {
	calls, errors atomic.Uint64
}

// OpStats counts what was sent of one operation.
type OpStats struct {
	Op     string // "LOOKUP"
	Calls  uint64
	Errors uint64 // of Calls, those that failed, whoever's fault
}

// Stats returns the counters of the operations used so far, in the order of
// their numbers.
func (f *FS) Stats() []OpStats {
	var list []OpStats
	for op := range f.stats {
		if n := f.stats[op].calls.Load(); n > 0 {
			list = append(list, OpStats{fuse.OpName(uint32(op)), n, f.stats[op].errors.Load()})
		}
	}
	return list
}

// Broken returns how many replies have broken the protocol or never came.
func (f *FS) Broken() uint64 { return f.broken.Load() }
