package passthrough

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// FuzzMessages sends a session of any messages. Each is a byte with the
// operation, two bytes with the length of its body, and the body; the nodes and
// handles that a session may have are small numbers, so that chance finds them.
//
// Whatever comes, replies are replies, nothing beside the root changes, and no
// more is held than may be.
func FuzzMessages(f *testing.F) {
	add := func(list ...[]byte) { f.Add(bytes.Join(list, nil)) }
	m := func(op byte, node byte, parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		return append([]byte{op, node, byte(len(body)), byte(len(body) >> 8)}, body...)
	}
	create := m(fuse.FUSE_CREATE, 1, (&fuse.CreateIn{Flags: unix.O_RDWR, Mode: 0o644}).AppendTo(nil), cstring("f"))
	mkdir := m(fuse.FUSE_MKDIR, 1, (&fuse.MkdirIn{Mode: 0o755}).AppendTo(nil), cstring("d"))
	add(m(fuse.FUSE_LOOKUP, 1, cstring("..")), m(fuse.FUSE_LOOKUP, 1, cstring("link")), m(fuse.FUSE_LOOKUP, 2, cstring("secret")),
		m(fuse.FUSE_OPEN, 2, (&fuse.OpenIn{}).AppendTo(nil)))
	add(create, m(fuse.FUSE_WRITE, 2, (&fuse.WriteIn{Fh: 1, Size: 4}).AppendTo(nil), []byte("data")),
		m(fuse.FUSE_READ, 2, (&fuse.ReadIn{Fh: 1, Size: 100}).AppendTo(nil)),
		m(fuse.FUSE_SETATTR, 2, (&fuse.SetattrIn{Valid: 0x7ff, Fh: 1, Size: 3, Mode: 0o4755}).AppendTo(nil)),
		m(fuse.FUSE_SETLKW, 2, lkIn(1, 1, 1, 0, 9)), m(fuse.FUSE_GETLK, 2, lkIn(1, 2, 1, 0, 9)),
		m(fuse.FUSE_FLUSH, 2, (&fuse.FlushIn{Fh: 1, LockOwner: 1}).AppendTo(nil)),
		m(fuse.FUSE_RELEASE, 2, (&fuse.ReleaseIn{Fh: 1}).AppendTo(nil)), m(fuse.FUSE_FORGET, 2, (&fuse.ForgetIn{Nlookup: 1}).AppendTo(nil)))
	add(mkdir, m(fuse.FUSE_OPENDIR, 1, (&fuse.OpenIn{}).AppendTo(nil)), m(fuse.FUSE_READDIRPLUS, 1, (&fuse.ReadIn{Fh: 1, Size: 4096}).AppendTo(nil)),
		m(fuse.FUSE_RENAME2, 1, (&fuse.Rename2In{Newdir: 2}).AppendTo(nil), cstring("f", "../f")), m(fuse.FUSE_SYMLINK, 1, cstring("s", "../outside")),
		m(fuse.FUSE_LINK, 2, (&fuse.LinkIn{Oldnodeid: 2}).AppendTo(nil), cstring("l")))
	add(create, create, m(fuse.FUSE_COPY_FILE_RANGE, 2, (&fuse.CopyFileRangeIn{FhIn: 1, NodeidOut: 2, FhOut: 2, Len: 9}).AppendTo(nil)),
		m(fuse.FUSE_SETXATTR, 2, (&fuse.SetxattrIn{Size: 1}).AppendTo(nil), []byte("user.a\x00v")), m(fuse.FUSE_LISTXATTR, 2, (&fuse.GetxattrIn{Size: 99}).AppendTo(nil)),
		m(fuse.FUSE_BATCH_FORGET, 0, (&fuse.BatchForgetIn{Count: 9}).AppendTo(nil), make([]byte, 32)), m(fuse.FUSE_DESTROY, 0), create)

	const limit = 64
	f.Fuzz(func(t *testing.T, b []byte) {
		c := sharing(t, Options{Files: limit})
		os.Symlink("../outside", c.root+"/link")
		for n := 0; len(b) >= 4 && n < 64; n++ {
			op, node, size := uint32(b[0]), uint64(b[1]), int(binary.LittleEndian.Uint16(b[2:]))
			body := bytes.Clone(b[4:min(4+size, len(b))])
			b = b[min(4+size, len(b)):]
			switch op {
			case fuse.FUSE_FALLOCATE, fuse.FUSE_COPY_FILE_RANGE: // not to fill the disk of the machine
				for i := range body {
					if i%8 >= 2 && i >= 8 {
						body[i] = 0
					}
				}
			case fuse.FUSE_SYNCFS, fuse.FUSE_FSYNC, fuse.FUSE_FSYNCDIR: // nor to wait for it
				continue
			case fuse.FUSE_SETLKW: // which waits for ever if others have it
				op = fuse.FUSE_SETLK
			}
			c.raw(c.message(op, node, body), 4096)
			if held := c.s.files.Load(); held < 0 || held > limit {
				t.Fatalf("%s: %d descriptors held", fuse.OpName(op), held)
			}
		}
		c.unharmed()
		c.s.clear()
		if held := c.s.files.Load(); held != 0 {
			t.Fatalf("%d descriptors are left", held)
		}
	})
}
