// Program clock tells the time to whoever sends a byte: the wall clock and the
// monotonic one, in nanoseconds.
package main

import (
	"bufio"
	"fmt"
	"os"
	"time"
)

func main() {
	start := time.Now()
	in := bufio.NewReader(os.Stdin)
	for {
		if _, err := in.ReadByte(); err != nil {
			return
		}
		now := time.Now()
		fmt.Println(now.UnixNano(), int64(now.Sub(start)))
	}
}
