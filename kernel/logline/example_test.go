package logline_test

import (
	"os"
	"time"

	"github.com/yolkos/yolk/kernel/logline"
)

// A line of a driver, as --log json shows it.
func Example() {
	l := logline.Line{Time: time.Unix(1, 0), Uptime: 24 * time.Millisecond, Level: logline.Info}
	l.Component, l.Message = logline.Split("clock: set to the host's", "kernel")
	os.Stdout.Write(l.Append(nil))
	// Output: {"time":"1970-01-01T00:00:01.000000000Z","uptime":0.024000,"level":"info","component":"clock","message":"set to the host's"}
}
