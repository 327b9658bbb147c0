package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/yolkos/yolk/cmd/bench/internal/ops"
)

// head is what the page says before its tables.
const head = `# Instructions

What an operation costs in instructions, counted by QEMU (` + "`" + `-icount shift=0` + "`" + `): exact, the same in every run on every
machine, and what KVM and hardware execute as well. Times under TCG are not: it makes system calls and page walks
dear and everything else cheap. The same Go program is process 1 of a Linux guest (Debian's %s,
` + "`" + `init_on_alloc=0` + "`" + `) and the program of a Yolk guest, on a microvm with one CPU and no garbage collection. An operation
is counted in batches, in five boots with random numbers of their own (where names come to lie in hash tables is
chance), and the least counts.

Linux's copies by ` + "`" + `rep movsb` + "`" + ` count each byte as an instruction, so that rows with 4 KiB flatter Yolk by up to 4,096.

    make count                                                  # writes this page and docs/instructions.txt
    go run ./cmd/bench/count -profile "tmpfs stat 4"            # tells which functions execute them

` + "`" + `make test` + "`" + ` fails when a row that needs no server is more than 2 %% above the recorded figure. A change that means to make a row dearer says
so by recording it with ` + "`" + `make count` + "`" + `. Yolk's ratio to Linux is to be at most 0.33 where the level is package syscall,
0.5 for package os, 0.8 for the runtime.
`

// section is a table of the page.
type section struct {
	title, about string
	goal         float64 // ratio to Linux; 0: none
	has          func(name string) bool
}

func sections() []section {
	of := func(fs string, os bool) func(string) bool {
		return func(name string) bool {
			rest, ok := strings.CutPrefix(name, fs+" ")
			return ok && !waits(name) && strings.HasPrefix(rest, "os.") == os
		}
	}
	primitives := "allocate 1 KiB,channel there and back,goroutine,mutex,sleep 1 µs,time.Now"
	inList := func(list string) func(string) bool {
		return func(name string) bool { return strings.Contains(","+list+",", ","+name+",") }
	}
	return []section{
		{"tmpfs, package syscall", "", 0.33, of(ops.Tmpfs, false)},
		{"tmpfs, package os", "", 0.5, of(ops.Tmpfs, true)},
		{"virtio-fs, what the guest has in its caches, package syscall", "", 0.33, of(ops.Virtiofs, false)},
		{"virtio-fs, what the guest has in its caches, package os", "", 0.5, of(ops.Virtiofs, true)},
		{"Other calls", "", 0.33, inList("getcwd,pipe byte,pipe there and back")},
		{"The network within the guest", "Both ends are in the guest, and the program's own: \"there and back\" is a byte or 64, and its answer. A connection is\n" +
			"made, answers a byte, and is closed.\n", 0.5, func(name string) bool { return strings.HasPrefix(name, ops.Loopback+" ") }},
		{"The runtime", "\"there and back\" is two handovers from goroutine to goroutine.\n", 0.8, inList(primitives)},
		{"Boot", "From the reset of the processor to main, with a tmpfs as root: Yolk's boots with nothing but a serial port. Less than\n" +
			"0.01 million are the firmware's (qboot), 0.15 million what comes before the runtime, 0.1 million a wait by which the\n" +
			"rate of the TSC is measured where the machine does not tell it, 0.3 million the start of the runtime, 0.4 million the\n" +
			"kernel's.\n", 0, inList(ops.Boot)},
		{"With a request to the server", "These wait for virtiofsd. What the guest executes meanwhile is not the operation's, and differs from run to run:\n" +
			"they are no measure, and nothing is held to them.\n", 0, waits},
	}
}

// writePage writes the page.
func writePage(file string, f figures) error {
	var page strings.Builder
	fmt.Fprintf(&page, head, f.about)
	for _, s := range sections() {
		fmt.Fprintf(&page, "\n## %s\n\n", s.title)
		if s.about != "" {
			fmt.Fprintf(&page, "%s\n", s.about)
		}
		page.WriteString("| operation | Linux | Yolk | ratio |\n|---|--:|--:|--:|\n")
		for _, name := range f.names() {
			if !s.has(name) {
				continue
			}
			ratio := ""
			if y, l := f.yolk[name], f.linux[name]; y > 0 && l > 0 {
				ratio = fmt.Sprintf("%.2f", y/l)
				if s.goal > 0 && y/l > s.goal+0.005 {
					ratio = "**" + ratio + "**"
				}
			}
			short := name
			for _, of := range []string{ops.Tmpfs, ops.Virtiofs, ops.Loopback} {
				short = strings.TrimPrefix(short, of+" ")
			}
			fmt.Fprintf(&page, "| %s | %s | %s | %s |\n", short, figure(f.linux, name), figure(f.yolk, name), ratio)
		}
		if s.goal > 0 {
			fmt.Fprintf(&page, "\nGoal: %.2f; bold is above it.\n", s.goal)
		}
	}
	return os.WriteFile(file, []byte(page.String()), 0o644)
}
