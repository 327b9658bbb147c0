// Command calltable writes docs/SYSCALLS.md, the table of Linux's system calls
// and what there is of each. It is run from the top of the repository.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/yolkos/yolk/syscalls"
)

const page = "docs/SYSCALLS.md"

func main() {
	if err := os.WriteFile(page, []byte(text()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "calltable:", err)
		os.Exit(1)
	}
}

func text() string {
	syscalls.AllCalls()
	var rows strings.Builder
	var yes, part, none int
	for num := range syscalls.Numbers {
		name, there, missing, ok := syscalls.State(num)
		if !ok {
			continue
		}
		state := "yes"
		switch {
		case !there:
			state = "ENOSYS"
			none++
		case missing != "":
			state = "part: " + missing
			part++
		default:
			yes++
		}
		fmt.Fprintf(&rows, "| %d | %s | %s |\n", num, name, state)
	}
	return fmt.Sprintf(`# System calls

Programs make Linux's system calls of amd64, by number, through package `+"`syscall`, `golang.org/x/sys/unix`"+` or the instruction
SYSCALL. This is the whole table of Linux; `+"`go run ./cmd/calltable`"+` writes it from the kernel's own
(`+"[`syscalls/calls.go`](../syscalls/calls.go) and [`calls_std.go`](../syscalls/calls_std.go)"+`): %d are there, %d in part, %d are ENOSYS.

What a program called and did not find is in `+"`/proc/yolk/enosys`"+`, with how often, and by which function; `+"`yolk run -v`"+` prints it
at the end. A program that makes no system call itself, by package `+"`syscall`"+`, assembly or a linkname, has only those linked in
that the standard library makes.

| number | name | there |
|---|---|---|
%s`, yes, part, none, rows.String())
}
