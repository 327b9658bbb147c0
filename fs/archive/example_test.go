package archive_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/fs/archive"
)

func Example() {
	text := "Hello.\n"
	root := &archive.Node{Mode: syscall.S_IFDIR | 0o755, Children: map[string]*archive.Node{
		"hello.txt": {Mode: syscall.S_IFREG | 0o644, Size: int64(len(text)), Contents: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(text)), nil
		}},
	}}
	l, err := archive.NewLayout(root)
	if err != nil {
		fmt.Println(err)
		return
	}
	var b bytes.Buffer
	if err := l.Write(&b); err != nil {
		fmt.Println(err)
		return
	}
	fsys, err := archive.Open(b.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := fs.ReadFile(fsys, "hello.txt")
	fmt.Printf("%q %v\n", data, err)
	// Output: "Hello.\n" <nil>
}
