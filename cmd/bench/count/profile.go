package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/yolkos/yolk/cmd/bench/internal/lab"
	"github.com/yolkos/yolk/cmd/bench/internal/ops"
	"github.com/yolkos/yolk/qemu"
)

// Batches of the two runs whose difference is the row's.
const (
	fewBatches  = 1
	moreBatches = 11
)

// profile prints how many instructions of an operation each function executes. Two
// runs that differ in nothing but how often it is done are told apart.
func profile(ctx context.Context, l *lab.Lab, yolk, row string) error {
	if strings.HasPrefix(row, ops.Virtiofs) {
		return fmt.Errorf("%s: only what needs nothing from outside can be profiled", row)
	}
	program := files
	if strings.HasPrefix(row, ops.Loopback) {
		program = network
	}
	image := filepath.Join(l.Dir, program+".symbols")
	if _, err := lab.Output(ctx, "", yolk, "build", "--ldflags=-s=0", "-o", image, "./cmd/bench/"+program); err != nil {
		return err
	}
	names, err := readFunctions(image)
	if err != nil {
		return err
	}
	few := map[string]int{}
	if row != ops.Boot { // which is done once, and is over with the first instruction of main
		if few, _, err = executed(ctx, l, image, names, row, fewBatches); err != nil {
			return err
		}
	}
	more, each, err := executed(ctx, l, image, names, row, moreBatches)
	if err != nil {
		return err
	}
	sum := 0
	for name := range more {
		more[name] -= few[name]
		sum += more[name]
	}
	// The value that the program tells is of one operation.
	scale := each / float64(sum)
	if row == ops.Boot {
		// What repeats itself, as the firmware's copying, is logged once, and waiting is not.
		more[repeated] = max(int(each)-sum, 0)
		sum += more[repeated]
		scale = 1
	}
	order := slices.SortedFunc(maps.Keys(more), func(a, b string) int { return cmp.Compare(more[b], more[a]) })
	fmt.Printf("%8.1f %s\n", each, row)
	for _, name := range order {
		if v := float64(more[name]) * scale; v >= 0.5 {
			fmt.Printf("%8.1f %4.1f %% %s\n", v, 100*float64(more[name])/float64(sum), name)
		}
	}
	return nil
}

// executed runs the program with one row, and counts the instructions of each
// function. each is what the program counts for an operation.
func executed(ctx context.Context, l *lab.Lab, image string, names functions, row string, batches int) (counts map[string]int, each float64, err error) {
	args := filepath.Join(l.Dir, "args")
	list := strings.Join([]string{"count", "-only", row, "-batches", strconv.Itoa(batches)}, "\x00") + "\x00"
	if err := os.WriteFile(args, []byte(list), 0o600); err != nil {
		return nil, 0, err
	}
	cmd, err := l.Bare(ctx, &lab.System{Machine: qemu.MicroVM, Count: true}, image, guestMemory)
	if err != nil {
		return nil, 0, err
	}
	one, err := oneInstruction(ctx, cmd.Path)
	if err != nil {
		return nil, 0, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	var out strings.Builder
	cmd.Args = append(cmd.Args, "-fw_cfg", "name=opt/yolk/args,file="+args, "-d", "exec,nochain", "-D", "/dev/fd/3")
	cmd.Args = append(cmd.Args, one...)
	cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = []*os.File{w}, &out, os.Stderr
	counted := make(chan error, 1)
	go func() {
		var err error
		end := ""
		if row == ops.Boot {
			end = "main.main"
		}
		counts, err = names.count(r, end)
		counted <- err
	}()
	err = lab.RunBare(ctx, cmd)
	w.Close()
	if err := errors.Join(err, <-counted); err != nil {
		return nil, 0, err
	}
	for line := range strings.Lines(out.String()) {
		if name, v, ok := ops.Parse(strings.TrimSpace(line)); ok && name == row {
			each = v
		}
	}
	if each == 0 {
		return nil, 0, fmt.Errorf("there is no row %q: %s", row, out.String())
	}
	return counts, each, nil
}

// oneInstruction is the option by which QEMU translates instructions singly, so
// that its log has each of them.
func oneInstruction(ctx context.Context, path string) ([]string, error) {
	help, err := exec.CommandContext(ctx, path, "-help").Output()
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(help), "one-insn-per-tb") {
		return []string{"-accel", "tcg,one-insn-per-tb=on"}, nil
	}
	return []string{"-singlestep"}, nil
}

// functions are those of an image, by their addresses.
type functions []elf.Symbol

func readFunctions(image string) (functions, error) {
	f, err := elf.Open(image)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := f.Symbols()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", image, err)
	}
	all = slices.DeleteFunc(all, func(s elf.Symbol) bool { return elf.ST_TYPE(s.Info) != elf.STT_FUNC })
	slices.SortFunc(all, func(a, b elf.Symbol) int { return cmp.Compare(a.Value, b.Value) })
	return all, nil
}

// repeated is the name of what QEMU does not log: repetitions of an instruction, and
// waiting.
const repeated = "(repetitions of instructions, and waiting)"

// outside is the name of what is not the image's: the firmware.
const outside = "(outside of the image)"

// address is that of a function as it stands in QEMU's log.
func (f functions) address(name string) string {
	for _, s := range f {
		if s.Name == name {
			return fmt.Sprintf("%016x", s.Value)
		}
	}
	return ""
}

// at is the name of the function at an address.
func (f functions) at(pc uint64) string {
	i, found := slices.BinarySearchFunc(f, pc, func(s elf.Symbol, pc uint64) int { return cmp.Compare(s.Value, pc) })
	switch {
	case found:
		return f[i].Name
	case i == 0 || pc >= f[i-1].Value+max(f[i-1].Size, 1) && i == len(f):
		return outside
	}
	return f[i-1].Name
}

// count reads a log of QEMU and counts the instructions of each function, up to the
// first of the function called end, or all.
//
// A line is "Trace 0: 0x7f… [00000000/0000000000201040/00000000/…] name", with the
// address behind the first slash. There are others.
func (f functions) count(log io.Reader, end string) (map[string]int, error) {
	at := map[string]int{} // by addresses as they stand there
	last := f.address(end)
	over := false
	lines := bufio.NewReaderSize(log, 1<<20)
	for {
		line, err := lines.ReadSlice('\n')
		if rest, ok := bytes.CutPrefix(line, []byte("Trace ")); ok {
			if _, rest, ok = bytes.Cut(rest, []byte{'/'}); ok {
				pc, _, _ := bytes.Cut(rest, []byte{'/'})
				over = over || string(pc) == last
				if !over {
					at[string(pc)]++
				}
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	counts := map[string]int{}
	for text, n := range at {
		pc, err := strconv.ParseUint(text, 16, 64)
		if err != nil {
			return nil, fmt.Errorf("QEMU's log: %q is no address", text)
		}
		counts[f.at(pc)] += n
	}
	return counts, nil
}
