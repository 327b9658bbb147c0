package devfs_test

import (
	"fmt"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/devfs"
)

func Example() {
	dev := devfs.New(func(p []byte) error { return nil })
	v := fs.New(dev, fs.MountOptions{})
	dev.Serve(v)
	f, d, err := v.Open(fs.Base{}, "/zero", syscall.O_RDONLY, 0, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Put()
	defer f.Release()
	p := []byte{1, 2, 3}
	n, err := f.ReadAt(p, 0)
	fmt.Println(p[:n], err)
	// Output: [0 0 0] <nil>
}
