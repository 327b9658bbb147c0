// Command bench measures what a program gets from its files. It is the same
// program on the host, in a Linux guest, where it is process 1, and in Yolk;
// cmd/bench/compare runs it in all of them.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/yolkos/yolk/cmd/bench/internal/guest"
	"github.com/yolkos/yolk/cmd/bench/internal/rows"
	"github.com/yolkos/yolk/cmd/bench/internal/tree"
)

func main() {
	args, err := guest.Start()
	fmt.Println(rows.LineMain)
	if err == nil {
		err = run(args)
	}
	if err != nil {
		fmt.Println(rows.FormatFailure("bench", err))
		guest.Exit(1)
	}
	fmt.Println(rows.LineDone)
	guest.Exit(0)
}

func run(args []string) error {
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	root := set.String("root", "/", "directory with the files to work on")
	quick := set.Bool("quick", false, "the files are those of the small layout")
	disk := set.String("disk", "", "the file that is a disk; that of the guest by default")
	direct := set.Bool("direct", false, "read and write the disk past the page cache")
	only := set.String("only", "", "groups of rows to measure, separated by commas; all by default")
	if err := set.Parse(args); err != nil {
		return err
	}
	if err := os.Chdir(*root); err != nil {
		return err
	}
	b := &bench{Layout: &tree.Full, diskFile: *disk, direct: *direct}
	if *quick {
		b.Layout = &tree.Quick
	}
	for _, g := range groups {
		if *only != "" && !contains(*only, g.name) {
			continue
		}
		if err := g.run(b); err != nil {
			fmt.Println(rows.FormatFailure(g.name, err))
		}
	}
	return nil
}

func contains(list, name string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if item == name {
			return true
		}
	}
	return false
}
