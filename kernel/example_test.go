//go:build tamago

package kernel_test

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing/fstest"

	"github.com/yolkos/yolk/fs/iofs"
	"github.com/yolkos/yolk/kernel"

	yolkfs "github.com/yolkos/yolk/fs"
)

// A program's own file system, by mount(2).
func ExampleRegisterFileSystem() {
	kernel.RegisterFileSystem("poems", func(source, data string) (yolkfs.FileSystem, error) {
		return iofs.New(fstest.MapFS{"riddle": {Data: []byte("In marble walls as white as milk"), Mode: fs.ModePerm}}, iofs.Options{})
	})
	if err := os.Mkdir("/tmp/poems", 0o755); err != nil {
		fmt.Println(err)
	}
	fmt.Println(syscall.Mount("", "/tmp/poems", "poems", 0, ""))
	text, err := os.ReadFile("/tmp/poems/riddle")
	fmt.Printf("%s %v\n", text, err)
	fmt.Println(syscall.Unmount("/tmp/poems", 0))
	// Output:
	// <nil>
	// In marble walls as white as milk <nil>
	// <nil>
}
