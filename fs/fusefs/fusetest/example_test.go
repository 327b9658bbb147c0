package fusetest_test

import (
	"fmt"
	"syscall"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/fs/fusefs/fusetest"
	"github.com/yolkos/yolk/fs/tmpfs"
)

func ExampleServer_Handle() {
	s := fusetest.NewServer(tmpfs.New(tmpfs.Limits{}), 0)
	name := []byte("file\x00")
	h := fuse.InHeader{Len: uint32(fuse.InHeaderSize + len(name)), Opcode: fuse.FUSE_UNLINK, Unique: 2, Nodeid: fuse.FUSE_ROOT_ID}
	var out fuse.OutHeader
	err := out.Decode(s.Handle(append(h.AppendTo(nil), name...)))
	fmt.Println(syscall.Errno(-out.Error), err)
	// Output: no such file or directory <nil>
}
