package passthrough_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/qemu/passthrough"
)

// A message of FUSE, and the reply.
func ExampleServer_Handle() {
	dir, err := os.MkdirTemp("", "passthrough-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("text"), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	s, err := passthrough.New(dir, passthrough.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	ask := func(op uint32, node uint64, body []byte) (reply []byte, e syscall.Errno) {
		h := fuse.InHeader{Len: uint32(fuse.InHeaderSize + len(body)), Opcode: op, Unique: 2, Nodeid: node}
		room := make([]byte, 4096)
		n := s.Handle([][]byte{append(h.AppendTo(nil), body...)}, [][]byte{room}, func() {})
		var out fuse.OutHeader
		if out.Decode(room[:n]) != nil {
			return nil, syscall.EIO
		}
		return room[fuse.OutHeaderSize:n], syscall.Errno(-out.Error)
	}
	ask(fuse.FUSE_INIT, 0, (&fuse.InitIn{Major: 7, Minor: 41}).AppendTo(nil))
	_, e := ask(fuse.FUSE_LOOKUP, fuse.FUSE_ROOT_ID, []byte("none\x00"))
	fmt.Println(e)
	reply, _ := ask(fuse.FUSE_LOOKUP, fuse.FUSE_ROOT_ID, []byte("file\x00"))
	var entry fuse.EntryOut
	fmt.Println(entry.Decode(reply), entry.Attr.Size)
	// Output:
	// no such file or directory
	// <nil> 4
}
