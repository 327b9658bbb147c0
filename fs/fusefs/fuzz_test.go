package fusefs

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// FuzzReply answers one operation with any bytes, of which the device may
// claim any number. Only the unique is put right, so that the rest is looked
// at. Whatever comes, nothing may panic and what was counted is given back.
func FuzzReply(f *testing.F) {
	for i, a := range actions {
		s := newScript(grantAll)
		e := newBench(f, s, optionsFor(a.op))
		var reply []byte
		s.alter = func(c *call) {
			if c.Opcode == a.op {
				reply = c.reply
			}
		}
		a.run(e)
		f.Add(uint8(i), int16(len(reply)), reply)
	}
	f.Fuzz(func(t *testing.T, which uint8, used int16, reply []byte) {
		a := actions[int(which)%len(actions)]
		s := newScript(grantAll)
		f := mountScript(t, s, optionsFor(a.op))
		e := &bench{fs: f, file: lookup(t, f.root, "f"), link: lookup(t, f.root, "l"), dir: lookup(t, f.root, "d")}
		e.open, _ = e.file.Open(os.O_RDWR)
		e.odir, _ = e.dir.Open(os.O_RDONLY)
		times := 0
		s.alter = func(c *call) {
			if c.Opcode != a.op {
				return
			}
			if times++; times > 100 {
				c.ok(nil) // an endless directory ends
				return
			}
			c.reply = append([]byte(nil), reply...)
			if len(reply) >= fuse.OutHeaderSize {
				binary.LittleEndian.PutUint64(c.reply[8:], c.Unique)
			}
			c.used = int(used)
		}
		a.run(e)
		f.releases.finish()
		s.alter = nil
		e.open.Release()
		e.odir.Release()
		for _, n := range []fs.Node{e.file, e.link, e.dir} {
			n.Unref()
		}
		f.releases.finish()
		if len(f.table.m) != 1 {
			t.Errorf("%s: %d nodes left", fuse.OpName(a.op), len(f.table.m))
		}
	})
}

// FuzzInit answers INIT with any bytes.
func FuzzInit(f *testing.F) {
	f.Add((&fuse.InitOut{Major: 7, Minor: 41, MaxWrite: 1 << 20, Flags: 1<<32 - 1}).AppendTo(nil))
	f.Add([]byte{8, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		s := newScript(0)
		s.ops[fuse.FUSE_INIT] = func(c *call) { c.ok(body) }
		m, err := Mount(s, Options{})
		if err != nil {
			return
		}
		x := &m.session
		if x.maxRead < pageSize || x.maxRead > 1<<20 || x.maxWrite < pageSize || x.maxWrite > x.maxRead || x.flags&^offered != 0 {
			t.Errorf("negotiated %+v", x)
		}
		if m.Negotiated() == "" {
			t.Error("no line")
		}
	})
}
