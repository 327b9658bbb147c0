package usercache_test

import (
	"fmt"
	"io/fs"
	"syscall"

	"github.com/yolkos/yolk/toolchain/usercache"
)

func Example() {
	p := usercache.At("/home/gopher/.cache/yolk/src", "the kernel's sources")
	fmt.Println(p.Explain(&fs.PathError{Op: "mkdir", Path: "/home/gopher/.cache", Err: syscall.EROFS}))
	// Output: the kernel's sources: mkdir /home/gopher/.cache: read-only file system: make /home/gopher/.cache/yolk/src writable, or set XDG_CACHE_HOME to a directory that is
}
