package fusefs

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// TestFootprint: what a name takes, of which a kernel keeps as many as fit into
// a part of its memory.
func TestFootprint(t *testing.T) {
	const names, most = 1 << 17, 640
	s := newScript(0)
	last := uint64(fuse.FUSE_ROOT_ID)
	s.ops[fuse.FUSE_LOOKUP] = func(c *call) {
		last++
		e := entryOf(last, syscall.S_IFREG|0o644)
		e.EntryValid, e.AttrValid = 3600, 3600
		c.ok(e.AppendTo(nil))
	}
	f := mountScript(t, s, Options{})
	v := fs.New(f, fs.MountOptions{})
	v.SetCacheSize(2 * names)
	before := heap()
	start := time.Now()
	var a fs.Attr
	for i := range names {
		s.sent = s.sent[:0]
		if err := v.Stat(fs.Base{}, fmt.Sprintf("file%08x", i), true, &a); err != nil {
			t.Fatal(err)
		}
	}
	taken := time.Since(start)
	per := (heap() - before) / names
	t.Logf("%d bytes, %v each", per, taken/names)
	if n := f.Counts().Nodes; n != names {
		t.Errorf("%d nodes", n)
	}
	if per > most {
		t.Errorf("%d bytes a name, want no more than %d", per, most)
	}
	runtime.KeepAlive(v)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
