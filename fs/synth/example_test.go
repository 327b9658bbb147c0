package synth_test

import (
	"fmt"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
)

func Example() {
	f := synth.New("example", 0x42)
	f.Dir().Add("link", f.NewLink("where/to"))
	target, err := fs.New(f, fs.MountOptions{}).Readlink(fs.Base{}, "/link")
	fmt.Println(target, err)
	// Output: where/to <nil>
}
