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

` + "`" + `make test` + "`" + ` fails when a row that needs no server is more than 2 %% above the recorded figure, in instructions or in exits of the guest. A
change that means to make a row dearer says so by recording it with ` + "`" + `make count` + "`" + `. Yolk's ratio to Linux is to be at most 0.33
where the level is package syscall, 0.5 for package os, 0.8 for the runtime. Of a row above that the page has a profile:
the ten functions that execute most of its instructions, counted in one boot, and their shares.
`

// osGoal is the goal of rows of package os.
const osGoal = 0.5

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
			return ok && !ops.Waits(name) && isOS(rest) == os
		}
	}
	primitives := "allocate 1 KiB,channel there and back,goroutine,mutex,sleep 1 µs,time.Now"
	inList := func(list string) func(string) bool {
		return func(name string) bool { return strings.Contains(","+list+",", ","+name+",") }
	}
	return []section{
		{"tmpfs, package syscall", "", 0.33, of(ops.Tmpfs, false)},
		{"tmpfs, package os", "", osGoal, of(ops.Tmpfs, true)},
		{"virtio-fs, what the guest has in its caches, package syscall", "", 0.33, of(ops.Virtiofs, false)},
		{"virtio-fs, what the guest has in its caches, package os", "", osGoal, of(ops.Virtiofs, true)},
		{"Other calls", "", 0.33, inList("getcwd,pipe byte,pipe there and back")},
		{"The network within the guest", aboutNetwork, 0.5, func(name string) bool { return strings.HasPrefix(name, ops.Loopback+" ") }},
		{"The runtime", aboutRuntime, 0.8, inList(primitives)},
		{"Boot", aboutBoot, 0, func(name string) bool { return name == ops.Boot || strings.HasPrefix(name, ops.Boot+" ") }},
		{"With requests to the server", aboutRequests, 0, ops.Waits},
	}
}

const (
	aboutNetwork = "Both ends are in the guest, and the program's own: \"there and back\" is a byte or 64, and its answer. A connection is\n" +
		"made, answers a byte, and is closed.\n"
	aboutRuntime = "\"there and back\" is two handovers from goroutine to goroutine.\n"
	aboutBoot    = "From the reset of the processor to main, with a tmpfs as root: Yolk's boots with nothing but a serial port. The time\n" +
		"stamps of the stages are each image's own (`yolk run --boot-chart` draws them). 0.1 million are a wait, with all of the\n" +
		"accesses to ports but 200, by which the rate of the TSC is measured where the machine does not tell it.\n"
	aboutRequests = "These wait for virtiofsd. Each operation is done by itself, some 60 times; what the guest executes while it waits does\n" +
		"not count, and the least counts: in Yolk the looks at the queue that find nothing, in Linux the time that the\n" +
		"processor is idle. How often a request is waited for is not the guest's alone, so that these figures differ by a few\n" +
		"per cent from run to run, and nothing is held to them. Notifications are counted by Yolk's kernel; QEMU does not\n" +
		"log those to another process, so that they are missing in Linux's exits. With 16 goroutines the instructions are\n" +
		"with what is executed meanwhile.\n"
)

// isOS tells the rows of package os from those of package syscall.
func isOS(name string) bool { return strings.HasPrefix(name, "os.") }

// short is the name of a row in its table.
func short(name string) string {
	for _, of := range []string{ops.Tmpfs, ops.Virtiofs, ops.Loopback} {
		name = strings.TrimPrefix(name, of+" ")
	}
	return name
}

// above tells of a row that is above a goal.
func (f figures) above(name string, goal float64) bool { return goal > 0 && f.ratio(name) > goal+0.005 }

// writePage writes the page, with profiles of those rows that are above their goals.
func writePage(file string, f figures, all map[string]profile) error {
	var page strings.Builder
	fmt.Fprintf(&page, head, f.about)
	for _, s := range sections() {
		fmt.Fprintf(&page, "\n## %s\n\n", s.title)
		if s.about != "" {
			fmt.Fprintf(&page, "%s\n", s.about)
		}
		if err := s.write(&page, f, all); err != nil {
			return err
		}
	}
	f.writeKinds(&page)
	writeParts(&page, f, all)
	return os.WriteFile(file, []byte(page.String()), 0o644)
}

// write writes the table, and the profiles of rows that are above its goal.
func (s *section) write(page *strings.Builder, f figures, all map[string]profile) error {
	page.WriteString("| operation | Linux | Yolk | ratio | exits, Linux | exits, Yolk |\n|---|--:|--:|--:|--:|--:|\n")
	var above []string
	for _, name := range f.names() {
		if !s.has(name) {
			continue
		}
		ratio := ""
		if r := f.ratio(name); r > 0 {
			ratio = fmt.Sprintf("%.2f", r)
		}
		if f.above(name, s.goal) {
			ratio = "**" + ratio + "**"
			above = append(above, name)
		}
		fmt.Fprintf(page, "| %s | %s | %s | %s | %s | %s |\n", short(name), f.linux.figure(name), f.yolk.figure(name), ratio, f.linux.total(name), f.yolk.total(name))
	}
	if s.goal > 0 {
		fmt.Fprintf(page, "\nGoal: %.2f; bold is above it.\n", s.goal)
	}
	for _, name := range above {
		p, ok := all[name]
		if !ok {
			return fmt.Errorf("%s: is above its goal, and has no profile", name)
		}
		fmt.Fprintf(page, "\n<details><summary>%s</summary>\n\n```\n", short(name))
		if err := p.write(page, profileLines); err != nil {
			return err
		}
		page.WriteString("```\n\n</details>\n")
	}
	return nil
}

// profileLines is how many functions of a row the page has.
const profileLines = 10

// total is how many exits an operation takes.
func (c costs) total(name string) string {
	if e := c[name].exits; e != nil {
		return decimal(e.sum())
	}
	return ""
}

// writeKinds writes the table of the exits by their kinds.
func (f figures) writeKinds(page *strings.Builder) {
	page.WriteString(aboutExits)
	for _, name := range f.names() {
		for _, of := range []struct {
			system string
			costs  costs
		}{{"Linux", f.linux}, {"Yolk", f.yolk}} {
			e := of.costs[name].exits
			if e == nil || e.String() == "0" {
				continue
			}
			fmt.Fprintf(page, "| %s | %s |", name, of.system)
			for _, v := range e {
				fmt.Fprintf(page, " %s |", strings.TrimPrefix(decimal(v), "0"))
			}
			page.WriteString("\n")
		}
	}
}

const aboutExits = `
## Exits

How often an operation leaves the guest, of which each takes some thousand instructions' time under KVM: notifications of
virtio devices, interrupts taken, accesses to the timer's registers, to others of the interrupt controllers, to ports, and
to other registers of devices. QEMU logs them. What is not here has none in either system. To halt a processor that has
nothing to do is one more, which QEMU does not log. The goal: none for what is cached, no timer on a path that does not
sleep, and at most one for a request while others are in flight.

| operation | | notify | interrupt | timer | apic | port | device |
|---|---|--:|--:|--:|--:|--:|--:|
`
