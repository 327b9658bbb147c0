package served_test

import (
	"fmt"

	"github.com/yolkos/yolk/qemu/served"
)

// What a server writes to its end of the pipe, the launcher takes when it likes.
func ExamplePipe() {
	r, w, err := served.Pipe()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	w.Write(served.Record{Unique: 2, Opcode: 1, From: 5_000, To: 7_500}.AppendTo(nil))
	w.Close()
	more := r.Take(func(r served.Record) { fmt.Println("request", r.Unique, "took", r.To-r.From, "ns") })
	fmt.Println(more)
	// Output:
	// request 2 took 2500 ns
	// false
}
