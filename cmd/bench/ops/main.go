// Command ops counts what single operations cost, in ticks of the time-stamp
// counter: instructions, where QEMU counts them. It is the same program in a Linux
// guest, where it is process 1, and in Yolk; cmd/bench/count runs it in both.
package main

import (
	"flag"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/yolkos/yolk/cmd/bench/internal/guest"
	"github.com/yolkos/yolk/cmd/bench/internal/ops"
	"github.com/yolkos/yolk/cmd/bench/internal/tsc"
)

func main() {
	atMain := tsc.Read()
	guest.Mark(ops.MarkEnd)
	guest.Main(func(args []string) error { return run(args, atMain) })
}

// counter counts rows.
type counter struct{ *ops.Counter }

// enter makes a directory with the files, and goes there.
func enter(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := os.Chdir(dir); err != nil {
		return err
	}
	return lay()
}

func run(args []string, atMain uint64) error {
	set := flag.NewFlagSet("ops", flag.ContinueOnError)
	root := set.String("root", "", "directory of the host, whose rows are counted; empty: those that need none")
	all := set.Bool("all", false, "count those that need no directory of the host, too")
	c := counter{ops.NewCounter(set)}
	if err := set.Parse(args); err != nil {
		return err
	}
	debug.SetGCPercent(-1) // a cycle is none of the operations
	c.Settle()
	if *root != "" {
		if err := enter(filepath.Join(*root, "ops")); err != nil {
			return err
		}
		c.calls(ops.Virtiofs)
		c.files(ops.Virtiofs)
		c.changes(ops.Virtiofs)
		c.load(ops.Virtiofs)
	}
	if *root == "" || *all {
		c.Booted(atMain, guest.Stages())
		if err := enter("/tmp/ops"); err != nil {
			return err
		}
		c.calls(ops.Tmpfs)
		c.files(ops.Tmpfs)
		c.changes(ops.Tmpfs)
		c.pipe()
		c.runtime()
	}
	return c.Print()
}
