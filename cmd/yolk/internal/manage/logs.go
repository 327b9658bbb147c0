package manage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/cmd/yolk/internal/detached"
)

// logFlags are the options of yolk logs.
type logFlags struct {
	follow, kernel, times bool
	tail                  lines
}

// lines is a number of lines; less than 0: all.
type lines int

func (n *lines) String() string {
	if *n < 0 {
		return ""
	}
	return strconv.Itoa(int(*n))
}

func (n *lines) Type() string { return "N" }

func (n *lines) Set(s string) error {
	k, err := strconv.Atoi(s)
	if s == "all" {
		k = -1
	} else if err != nil || k < 0 {
		return fmt.Errorf("want a number of lines, or all")
	}
	*n = lines(k)
	return nil
}

func logsCmd() *cobra.Command {
	f := logFlags{tail: -1}
	cmd := &cobra.Command{
		Use:   "logs NAME",
		Short: "Show what a machine in the background has written",
		Long: `Logs shows what the program of a machine has written, to standard output and standard
error as it did. A panic is on standard error. The kernel's log, and what yolk had to
say, is apart: --kernel shows that.

The log keeps the last 8 to 16 MiB.`,
		Args:              machineName,
		ValidArgsFunction: completeMachines(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := findMachine(args[0])
			if err != nil {
				return err
			}
			defer r.Close()
			return f.show(cmd.Context(), r, os.Stdout, os.Stderr)
		},
	}
	set := cmd.Flags()
	set.BoolVarP(&f.follow, "follow", "f", false, "go on until the machine ends")
	set.BoolVarP(&f.kernel, "kernel", "k", false, "the kernel's log instead")
	set.BoolVarP(&f.times, "timestamps", "t", false, "the time before each line")
	set.VarP(&f.tail, "tail", "n", "only the last lines, this many")
	return cmd
}

// findMachine finds a machine of this user.
func findMachine(name string) (*detached.Record, error) {
	dir, err := detached.Open()
	if err != nil {
		return nil, err
	}
	return dir.Find(name)
}

// machineName is for commands that take the name of one machine.
func machineName(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want the name of one machine; yolk ps -a lists them: %s", cmd.UseLine())
	}
	return nil
}

// machineNames is for commands that take names of machines.
func machineNames(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("want names of machines; yolk ps -a lists them: %s", cmd.UseLine())
	}
	return nil
}

// show writes the log, the kernel's to stdout.
func (f *logFlags) show(ctx context.Context, r *detached.Record, stdout, stderr io.Writer) error {
	var changed, done <-chan struct{}
	if f.follow {
		var stop func()
		var err error
		if changed, stop, err = r.Changes(); err != nil {
			return err
		}
		defer stop()
		if done, err = r.Done(); err != nil {
			return err
		}
	}
	log := r.Log()
	defer log.Close()
	p := &logPrinter{times: f.times, begun: map[detached.Stream]bool{}, outputs: map[detached.Stream]io.Writer{detached.Stdout: stdout, detached.Stderr: stderr}}
	if f.kernel {
		p.outputs = map[detached.Stream]io.Writer{detached.Kernel: stdout}
	}
	entries, err := f.read(log, p)
	if err != nil {
		return err
	}
	for _, e := range lastLines(entries, int(f.tail)) {
		if err := p.print(e); err != nil {
			return err
		}
	}
	for over := !f.follow; !over; {
		select {
		case <-changed:
		case <-done:
			over = true // what it wrote last is there
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if entries, err = f.read(log, p); err != nil {
			return err
		}
		for _, e := range entries {
			if err := p.print(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// read returns the entries that there are and that p prints.
func (f *logFlags) read(log *detached.Reader, p *logPrinter) (list []detached.Entry, err error) {
	for {
		e, err := log.Next()
		if log.Lost && len(list) > 0 {
			fmt.Fprintln(os.Stderr, "yolk: a part of the log is missing here: it is older than what is kept")
		}
		switch {
		case err == io.EOF:
			return list, nil
		case err != nil:
			return nil, err
		case p.outputs[e.Stream] != nil:
			list = append(list, e)
		}
	}
}

// lastLines returns what has the last n lines of all streams together, all if n is less
// than 0.
func lastLines(list []detached.Entry, n int) []detached.Entry {
	if n < 0 {
		return list
	}
	found := 0
	ended := map[detached.Stream]bool{} // with what follows, a line that has an end
	for i := len(list) - 1; i >= 0; i-- {
		e := &list[i]
		for k := len(e.Text) - 1; k >= 0; k-- {
			// The end of a line, or its last byte if it has none, begins it from behind.
			if e.Text[k] == '\n' || !ended[e.Stream] {
				if found == n {
					e.Text = e.Text[k+1:]
					return list[i:]
				}
				found++
				ended[e.Stream] = true
			}
		}
	}
	return list
}

// logPrinter writes entries.
type logPrinter struct {
	outputs map[detached.Stream]io.Writer // nil: not shown
	times   bool
	begun   map[detached.Stream]bool // a line that has no end yet
}

func (p *logPrinter) print(e detached.Entry) error {
	if !p.times {
		_, err := p.outputs[e.Stream].Write(e.Text)
		return err
	}
	var b []byte
	for line := range bytes.Lines(e.Text) {
		if !p.begun[e.Stream] {
			b = e.Time.Local().AppendFormat(b, "2006-01-02T15:04:05.000000Z07:00 ")
		}
		b = append(b, line...)
		p.begun[e.Stream] = line[len(line)-1] != '\n'
	}
	_, err := p.outputs[e.Stream].Write(b)
	return err
}
