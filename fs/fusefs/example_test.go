package fusefs_test

import (
	"fmt"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs"
	"github.com/yolkos/yolk/fs/fusefs/fusetest"
	"github.com/yolkos/yolk/fs/tmpfs"
)

// A client and a server in one process.
func ExampleMount() {
	files := tmpfs.New(tmpfs.Limits{})
	f, err := fusefs.Mount(fusetest.Direct{Server: fusetest.NewServer(files, 0)}, fusefs.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	v := fs.New(f, fs.MountOptions{})
	fmt.Println(v.Mkdir(fs.Base{}, "/by-fuse", 0o755, 0))

	var a fs.Attr
	fmt.Println(fs.New(files, fs.MountOptions{}).Stat(fs.Base{}, "/by-fuse", true, &a))
	// Output:
	// <nil>
	// <nil>
}
