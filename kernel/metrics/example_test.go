package metrics_test

import (
	"os"

	"github.com/yolkos/yolk/kernel/metrics"
)

// A text with one counter.
func Example() {
	t := metrics.New(nil)
	t.Family("yolk_interrupts", metrics.Counter, "", "Interrupts by vector.")
	t.Uint(7, metrics.Label{Name: "vector", Value: "48"})
	os.Stdout.Write(t.End())
	// Output:
	// # TYPE yolk_interrupts counter
	// # HELP yolk_interrupts Interrupts by vector.
	// yolk_interrupts_total{vector="48"} 7
	// # EOF
}
