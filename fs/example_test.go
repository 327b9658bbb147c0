package fs_test

import (
	"fmt"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
)

// A tree of two file systems.
func Example() {
	v := fs.New(tmpfs.New(tmpfs.Limits{}), fs.MountOptions{})
	fmt.Println(v.Mkdir(fs.Base{}, "/mnt", 0o755, 0))
	fmt.Println(v.Mount(fs.Base{}, "/mnt", tmpfs.New(tmpfs.Limits{}), fs.MountOptions{Source: "second"}))

	f, d, err := v.Open(fs.Base{}, "/mnt/file", syscall.O_CREAT|syscall.O_RDWR, 0o644, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	f.WriteAt([]byte("text"), 0)
	f.Release()
	d.Put()

	var a fs.Attr
	err = v.Stat(fs.Base{}, "/mnt/../mnt/file", true, &a)
	fmt.Println(a.Size, err)
	fmt.Println(v.Rename(fs.Base{}, "/mnt/file", fs.Base{}, "/file", 0))
	// Output:
	// <nil>
	// <nil>
	// 4 <nil>
	// invalid cross-device link
}
