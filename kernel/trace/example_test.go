package trace_test

import (
	"fmt"

	"github.com/yolkos/yolk/kernel/trace/wire"
)

// The kinds that the package traces are given by their names, in a setting of the launcher's or in
// /proc/yolk/trace.
func Example() {
	kinds, err := wire.ParseSet("call,fuse")
	fmt.Println(kinds, kinds.Has(wire.Fuse), kinds.Has(wire.Idle), err)
	_, err = wire.ParseSet("calls")
	fmt.Println(err)
	// Output:
	// call,fuse true false <nil>
	// there is no kind of event "calls"; the kinds are call,fuse,notify,irq,idle,sched
}
