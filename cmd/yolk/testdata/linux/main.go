// Program linux says which of its files were built and by which packages it was
// chosen: outside Yolk they are those for Linux, but for a package that knows of
// tamago and can be built so.
package main

import (
	"fmt"
	"runtime"
	"strings"

	"example.com/linux/clash"
	"example.com/linux/knows"
	"example.com/linux/onlylinux"
)

var chosen []string

func fromAssembly() int

func main() {
	fmt.Println(strings.Join(chosen, ", "))
	fmt.Println("assembly", fromAssembly())
	fmt.Println(onlylinux.Name, runtime.GOOS)
	fmt.Println(knows.Name, clash.Name)
}
