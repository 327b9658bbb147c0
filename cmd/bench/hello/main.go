// Command hello is the smallest program that the benchmark boots.
package main

import (
	"os"

	"github.com/yolkos/yolk/cmd/bench/internal/guest"
)

func main() {
	_, err := guest.Start()
	if err != nil {
		println("bench failed hello", err.Error())
		guest.Exit(1)
	}
	os.Stdout.WriteString("bench main\nHello from the program.\nbench done\n")
	guest.Exit(0)
}
