package manage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/cmd/yolk/internal/detached"
	"github.com/yolkos/yolk/cmd/yolk/internal/options"
)

func psCmd() *cobra.Command {
	var all, asJSON bool
	cmd := &cobra.Command{
		Use:   "ps",
		Short: "List the machines in the background",
		Long: `Ps lists the machines of this user that yolk run --detach has started and that
run: their names, the processes that they live in, and the ports of the host that lead
to them.`,
		Args: options.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			list, err := listMachines(all)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(os.Stdout, list)
			}
			return writeTable(os.Stdout, list, time.Now())
		},
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "also those that have ended")
	cmd.Flags().BoolVar(&asJSON, "json", false, "an object of JSON on each line")
	return cmd
}

// listed is a machine in yolk ps --json.
type listed struct {
	detached.Info
	State string        `json:"state"`
	End   *detached.End `json:"end,omitempty"` // of one that has ended, in its own words
}

// The states, as listed has them.
var stateNames = map[detached.State]string{detached.Starting: "starting", detached.Running: "running", detached.Ended: "ended", detached.Killed: "killed"}

// listMachines lists the machines that run, or all.
func listMachines(all bool) ([]listed, error) {
	dir, err := detached.Open()
	if err != nil {
		return nil, err
	}
	names, err := dir.Names()
	if err != nil {
		return nil, err
	}
	var list []listed
	var broken []error
	for _, name := range names {
		r, err := dir.Find(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		} else if err != nil {
			broken = append(broken, err)
			continue
		}
		state, end := r.State()
		r.Close()
		l := listed{Info: r.Info, State: stateNames[state]}
		if state == detached.Ended {
			l.End = &end
		}
		if all || state == detached.Starting || state == detached.Running {
			list = append(list, l)
		}
	}
	for _, err := range broken {
		fmt.Fprintln(os.Stderr, "yolk:", err)
	}
	return list, nil
}

func writeJSON(w io.Writer, list []listed) error {
	e := json.NewEncoder(w)
	for _, l := range list {
		if err := e.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

func writeTable(w io.Writer, list []listed, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	fmt.Fprintln(t, "NAME\tPID\tSTATE\tPORTS\tPROGRAM")
	for _, l := range list {
		pid, state := fmt.Sprint(l.Pid), l.State
		switch {
		case l.End != nil:
			pid, state = "-", fmt.Sprintf("ended (%d), %s ago", l.End.Status, about(now.Sub(l.End.At)))
		case l.State == stateNames[detached.Killed]:
			pid = "-"
		case l.State == stateNames[detached.Running]:
			state += ", " + about(now.Sub(l.Started))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", l.Name, pid, state, strings.Join(l.Ports, ", "), printable(shorten(strings.Join(l.Program, " "))))
	}
	return t.Flush()
}

// about is a time in its largest unit.
func about(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", max(d, 0)/time.Second)
}

// shorten cuts what would make a line too long.
func shorten(s string) string {
	const most = 60 // characters
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// printable has no character of s change how a terminal shows the others.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// completeMachines completes the names of machines, those that are given already left out.
func completeMachines(most int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		list, err := listMachines(true)
		if err != nil || most > 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var words []string
		for _, l := range list {
			given := false
			for _, a := range args {
				given = given || a == l.Name
			}
			if !given {
				words = append(words, l.Name+"\t"+l.State+": "+printable(shorten(strings.Join(l.Program, " "))))
			}
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}
