package syscalls_test

import (
	"fmt"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

// System calls are methods of an ordinary object.
func Example() {
	k := syscalls.New(fs.New(tmpfs.New(tmpfs.Limits{}), fs.MountOptions{}))
	fmt.Println(k.Mkdirat(syscalls.AT_FDCWD, "/dir", 0o755) == 0)
	fmt.Println(k.Chdir("/dir") == 0)
	fmt.Println(k.Getcwd())
	fmt.Println(k.Unlinkat(syscalls.AT_FDCWD, "/none", 0))
	// Output:
	// true
	// true
	// /dir errno 0
	// no such file or directory
}

func ExampleState() {
	name, there, part, ok := syscalls.State(syscall.SYS_OPENAT)
	fmt.Println(name, there, part, ok)
	// Output: openat true  true
}
