package ring_test

import (
	"fmt"

	"github.com/yolkos/yolk/kernel/trace/ring"
	"github.com/yolkos/yolk/kernel/trace/wire"
)

func Example() {
	r := ring.New(8)
	r.Put(1000, 7, wire.Word(wire.Call, 0, 257, 0), 3, 0, 0, []byte("/etc/hosts"))
	first, second := r.Ready()
	e, n := wire.Parse(first)
	fmt.Println(e.Kind, e.G, e.Op, e.Name, n, len(second))
	r.Take(n)
	first, _ = r.Ready()
	fmt.Println(len(first), r.Lost())
	// Output:
	// call 7 257 /etc/hosts 64 0
	// 0 0
}
