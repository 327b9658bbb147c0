// Package stages tells the launcher how the boot went. yolk run --boot-chart adds it to a
// program, and a call of Main in front of the program's main function.
package stages

import "strconv"

// line is what the launcher is told of a stage: when it began, by the time-stamp counter,
// and its name. (Package qemu reads it.)
func line(at uint64, name string) string {
	return "yolk stage " + strconv.FormatUint(at, 10) + " " + name + "\n"
}
