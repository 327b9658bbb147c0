package trace

import (
	"bytes"
	"encoding/binary"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// arguments finds in what follows the header of a request the name in it, if there is
// one, and the offset in a file. The bytes are the kernel's own, but nothing is
// taken for granted about them.
func arguments(op uint32, args []byte) (name []byte, off uint64) {
	skip := 0 // bytes before the name
	switch op {
	case fuse.FUSE_LOOKUP, fuse.FUSE_UNLINK, fuse.FUSE_RMDIR, fuse.FUSE_SYMLINK, fuse.FUSE_REMOVEXATTR:
	case fuse.FUSE_MKDIR, fuse.FUSE_RENAME, fuse.FUSE_LINK:
		skip = 8
	case fuse.FUSE_GETXATTR:
		skip = 8
	case fuse.FUSE_MKNOD, fuse.FUSE_CREATE, fuse.FUSE_RENAME2, fuse.FUSE_TMPFILE:
		skip = 16
	case fuse.FUSE_READ, fuse.FUSE_WRITE, fuse.FUSE_READDIR, fuse.FUSE_READDIRPLUS, fuse.FUSE_LSEEK, fuse.FUSE_FALLOCATE:
		// After the handle.
		if len(args) >= 16 {
			off = binary.LittleEndian.Uint64(args[8:])
		}
		return nil, off
	default:
		return nil, 0
	}
	if len(args) < skip {
		return nil, 0
	}
	name, _, _ = bytes.Cut(args[skip:], []byte{0})
	return name, 0
}

// entry is the node in the reply to an operation that makes or finds one; else 0.
func entry(op uint16, body []byte) uint64 {
	switch uint32(op) {
	case fuse.FUSE_LOOKUP, fuse.FUSE_SYMLINK, fuse.FUSE_MKNOD, fuse.FUSE_MKDIR, fuse.FUSE_LINK, fuse.FUSE_CREATE, fuse.FUSE_TMPFILE:
		if len(body) >= 8 {
			return binary.LittleEndian.Uint64(body)
		}
	}
	return 0
}

// entries calls note with the nodes and names in the reply to READDIRPLUS. An entry without
// a node is one that the client is to look up.
func entries(b []byte, note func(node uint64, name []byte)) {
	for len(b) > 0 {
		var e fuse.EntryOut
		_, name, n, err := fuse.ParseDirentplus(b, &e)
		if n == 0 {
			return
		}
		if err == nil && e.Nodeid != 0 {
			note(e.Nodeid, name)
		}
		b = b[n:]
	}
}
