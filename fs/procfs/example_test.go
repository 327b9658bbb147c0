package procfs_test

import (
	"fmt"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/procfs"
)

// A file whose text is made when it is opened.
func ExampleFS_Register() {
	proc := procfs.New()
	proc.Register("yolk/answer", func(b []byte) []byte { return append(b, "42\n"...) })
	f, d, err := fs.New(proc, fs.MountOptions{}).Open(fs.Base{}, "/yolk/answer", syscall.O_RDONLY, 0, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Put()
	defer f.Release()
	p := make([]byte, 10)
	n, err := f.ReadAt(p, 0)
	fmt.Printf("%q %v\n", p[:n], err)
	// Output: "42\n" <nil>
}
