package main

import (
	"fmt"
	"strings"

	"github.com/yolkos/yolk/cmd/bench/internal/ops"
)

// Parts of what an operation of package os executes.
const (
	kernelPart  = iota // of Yolk's packages
	runtimePart        // of the runtime and what it shares with the compiler
	goPart             // of Go's other packages
	parts
)

const module = "github.com/yolkos/yolk/"

// partOf is the part of a function.
func partOf(name string) int {
	switch {
	case strings.HasPrefix(name, module) && !strings.HasPrefix(name, module+"cmd/"):
		return kernelPart
	case strings.HasPrefix(name, "runtime."), strings.HasPrefix(name, "runtime/"), strings.HasPrefix(name, "internal/runtime/"),
		strings.HasPrefix(name, "internal/bytealg."), strings.HasPrefix(name, "type:"), strings.HasPrefix(name, "("),
		!strings.Contains(name, "."):
		return runtimePart
	}
	return goPart
}

// split adds up the instructions of each part.
func (p profile) split() (sums [parts]float64) {
	for _, f := range p.functions {
		sums[partOf(f.name)] += f.instructions
	}
	return sums
}

const aboutParts = `
## Go's own part

What an operation of package os executes in Yolk, by whose packages the functions are: Go's own (os, internal/poll, io/fs,
syscall and what they call), which are the same in both systems; those of Go's runtime (memory, maps, copies), which
everybody calls; and Yolk's. "Go's share of the goal" is Go's own part beside the number of instructions that the goal
allows, half of Linux's: what is over 100 % no kernel can reach.

| operation | Yolk | Go's own | the runtime's | Yolk's | Go's share of the goal |
|---|--:|--:|--:|--:|--:|
`

// writeParts writes the table of the rows of package os.
func writeParts(page *strings.Builder, f figures, all map[string]profile) {
	page.WriteString(aboutParts)
	for _, name := range f.names() {
		p, ok := all[name]
		_, rest, _ := strings.Cut(name, " ")
		if !ok || !isOS(rest) || ops.Waits(name) {
			continue
		}
		sums, share := p.split(), ""
		if l := f.linux[name].instructions; l > 0 {
			share = fmt.Sprintf("%.0f %%", 100*sums[goPart]/(osGoal*l))
		}
		fmt.Fprintf(page, "| %s | %.0f | %.0f | %.0f | %.0f | %s |\n", name, p.instructions, sums[goPart], sums[runtimePart], sums[kernelPart], share)
	}
}
