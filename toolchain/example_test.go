package toolchain_test

import (
	"fmt"

	"github.com/yolkos/yolk/toolchain"
)

// An edit of the stock Go names a file, what is there, and what is to be.
func ExampleReplace() {
	var e toolchain.Edit = toolchain.Replace{
		File: "src/runtime/example.go", Old: "stock", New: "ours", Why: "to show an edit",
	}
	fmt.Println(e.(toolchain.Replace).Why)
	// Output: to show an edit
}
