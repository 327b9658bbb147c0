package fstest_test

import (
	"fmt"
	"syscall"

	"github.com/yolkos/yolk/fs/fstest"
	"github.com/yolkos/yolk/fs/tmpfs"
)

// A system of one's own, by its calls.
func ExampleNewKernel() {
	k := fstest.NewKernel(tmpfs.New(tmpfs.Limits{}))
	fd, e := k.Openat(-100, "/file", syscall.O_CREAT|syscall.O_RDWR, 0o644)
	fmt.Println(fd, e == 0)
	n, e := k.Write(fd, []byte("text"))
	fmt.Println(n, e == 0)
	// Output:
	// 0 true
	// 4 true
}
