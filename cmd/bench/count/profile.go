package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"

	"github.com/yolkos/yolk/cmd/bench/internal/lab"
	"github.com/yolkos/yolk/cmd/bench/internal/ops"
	"github.com/yolkos/yolk/qemu"
)

// profile is what one operation executes.
type profile struct {
	name         string
	instructions float64
	functions    []function // most first
}

// function is a function and how many instructions of the operation are its own.
type function struct {
	name         string
	instructions float64
}

// repeated is the name of what QEMU does not log: repetitions of an instruction, and
// waiting.
const repeated = "(repetitions of instructions, and waiting)"

// newProfile makes that of a row.
func newProfile(c counted, names functions) (profile, error) {
	p := profile{name: c.Name, instructions: c.Instructions}
	counts, err := names.named(c.executed)
	if err != nil {
		return p, err
	}
	if left := int(c.Instructions*float64(c.Batch)) - c.total; left > 0 {
		counts[repeated] = left
	}
	for name, n := range counts {
		p.functions = append(p.functions, function{name, float64(n) / float64(c.Batch)})
	}
	slices.SortFunc(p.functions, func(a, b function) int {
		return cmp.Or(cmp.Compare(b.instructions, a.instructions), cmp.Compare(a.name, b.name))
	})
	return p, nil
}

// write writes the first n functions, or all of which an operation executes one
// instruction: how many, and their share.
func (p profile) write(w io.Writer, n int) error {
	for _, f := range p.functions[:min(n, len(p.functions))] {
		if f.instructions < 0.5 {
			break
		}
		if _, err := fmt.Fprintf(w, "%8.0f %5.1f %% %s\n", f.instructions, 100*f.instructions/p.instructions, f.name); err != nil {
			return err
		}
	}
	return nil
}

// symbols is the end of the names of images that have them.
const symbols = "-symbols"

// profiles runs a program in a system with each instruction logged, and returns the
// profiles of its rows by their names. That takes a minute and more, unless only one row
// is asked for.
func profiles(ctx context.Context, l *lab.Lab, s lab.System, yolk, program, only string) (map[string]profile, error) {
	image := program + symbols
	if err := l.BuildYolk(ctx, yolk, image, "./cmd/bench/"+program, "-s=0"); err != nil {
		return nil, err
	}
	names, err := readFunctions(l.Image(image))
	if err != nil {
		return nil, err
	}
	one, err := oneInstruction(ctx)
	if err != nil {
		return nil, err
	}
	args := []string{"-short"}
	if only != "" {
		args = append(args, "-only", only)
	}
	rows, err := count(ctx, l, s, image, args, func(log string) []string {
		return append(exitsLogged(log), append([]string{"-d", "int,exec,nochain"}, one...)...)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	all := map[string]profile{}
	for _, c := range rows {
		if c.batch == nil {
			continue
		}
		if all[c.Name], err = newProfile(c, names); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// profileRow is the profile of one row.
func profileRow(ctx context.Context, l *lab.Lab, yolk, row string) (profile, error) {
	s, program := bare(0), files
	if strings.HasPrefix(row, ops.Virtiofs) {
		s = withShare
	}
	if strings.HasPrefix(row, ops.Loopback) {
		program = network
	}
	all, err := profiles(ctx, l, s, yolk, program, row)
	if err != nil {
		return profile{}, err
	}
	p, ok := all[row]
	if !ok {
		return p, fmt.Errorf("there is no row %q: %q", row, slices.Sorted(maps.Keys(all)))
	}
	return p, nil
}

// oneInstruction is the option by which QEMU translates instructions singly, so
// that its log has each of them.
func oneInstruction(ctx context.Context) ([]string, error) {
	path, err := qemu.FindQEMU()
	if err != nil {
		return nil, err
	}
	help, err := exec.CommandContext(ctx, path, "-help").Output()
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(help), "one-insn-per-tb") {
		return []string{"-accel", "tcg,one-insn-per-tb=on"}, nil
	}
	return []string{"-singlestep"}, nil
}
