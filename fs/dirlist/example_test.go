package dirlist_test

import (
	"fmt"

	"github.com/yolkos/yolk/fs/dirlist"
)

// A reader goes on behind the last entry that it has seen, whatever was removed.
func ExampleList() {
	var l dirlist.List[int]
	for i, name := range []string{"a", "b", "c"} {
		l.Add(name, i+1)
	}
	seen := l.After(0)[0]
	l.Remove(l.Get("b"))
	for _, e := range l.After(seen.Cookie) {
		if e.Node != 0 { // not removed
			fmt.Println(e.Name, e.Node)
		}
	}
	// Output: c 3
}
