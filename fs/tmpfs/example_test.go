package tmpfs_test

import (
	"fmt"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
)

// Memory for files has a limit.
func ExampleNew() {
	v := fs.New(tmpfs.New(tmpfs.Limits{Bytes: 1 << 20}), fs.MountOptions{})
	f, d, err := v.Open(fs.Base{}, "/file", syscall.O_CREAT|syscall.O_RDWR, 0o644, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Put()
	defer f.Release()
	n, _, err := f.WriteAt(make([]byte, 2<<20), 0)
	fmt.Println(n, err)
	_, _, err = f.WriteAt([]byte("more"), 1<<20)
	fmt.Println(err)
	// Output:
	// 1048576 <nil>
	// no space left on device
}
