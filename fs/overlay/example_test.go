package overlay_test

import (
	"fmt"
	"testing/fstest"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/iofs"
	"github.com/yolkos/yolk/fs/overlay"
	"github.com/yolkos/yolk/fs/tmpfs"
)

// Files that cannot be changed, with what is changed in memory above them.
func Example() {
	lower, err := iofs.New(fstest.MapFS{"a": {Data: []byte("from below")}}, iofs.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := overlay.New(lower, tmpfs.New(tmpfs.Limits{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	v := fs.New(f, fs.MountOptions{})
	fmt.Println(v.Rename(fs.Base{}, "/a", fs.Base{}, "/b", 0))
	var a fs.Attr
	fmt.Println(v.Stat(fs.Base{}, "/b", true, &a), a.Size)
	fmt.Println(v.Stat(fs.Base{}, "/a", true, &a))
	// Output:
	// <nil>
	// <nil> 10
	// no such file or directory
}
