package embedded_test

import (
	"fmt"

	"github.com/yolkos/yolk/arch/amd64/embedded"
)

func Example() {
	parts := []embedded.Part{{Name: embedded.Args, Size: 5}, {Name: "more", Size: 3}}
	head, offsets, size, err := embedded.Layout(parts)
	if err != nil {
		fmt.Println(err)
		return
	}
	segment := make([]byte, size)
	copy(segment, head)
	copy(segment[offsets[0]:], "hello")
	copy(segment[offsets[1]:], "abc")

	part, ok := embedded.Find(segment, "more")
	fmt.Printf("%s %v\n", part, ok)
	// Output: abc true
}
