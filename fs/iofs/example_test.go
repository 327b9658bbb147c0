package iofs_test

import (
	"fmt"
	"syscall"
	"testing/fstest"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/iofs"
)

// Any io/fs.FS can be mounted.
func Example() {
	fsys := fstest.MapFS{"dir/hello.txt": {Data: []byte("Hello.")}}
	f, err := iofs.New(fsys, iofs.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	v := fs.New(f, fs.MountOptions{})
	var a fs.Attr
	err = v.Stat(fs.Base{}, "/dir/hello.txt", true, &a)
	fmt.Println(a.Size, err)
	fmt.Println(v.Mkdir(fs.Base{}, "/new", 0o755, 0) == syscall.EROFS)
	// Output:
	// 6 <nil>
	// true
}
