package manage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/cmd/yolk/internal/detached"
	"github.com/yolkos/yolk/cmd/yolk/internal/exit"
	"github.com/yolkos/yolk/cmd/yolk/internal/options"
)

func stopCmd() *cobra.Command {
	after := stopAfter(-1)
	cmd := &cobra.Command{
		Use:   "stop NAME...",
		Short: "End machines in the background",
		Long: `Stop sends SIGTERM to the programs of machines, waits until they have ended, and prints
how. A program that does not end is ended after the time that its yolk run has in
--stop-timeout, or after that of --timeout here if that is less, with status 137.

A machine that has ended already is as it should be.`,
		Args:              machineNames,
		ValidArgsFunction: completeMachines(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return forMachines(args, func(r *detached.Record) error {
				state, end, err := stopMachine(cmd.Context(), r, time.Duration(after))
				if err == nil {
					fmt.Printf("%s: %s\n", r.Name, howEnded(state, end))
				}
				return err
			})
		},
	}
	cmd.Flags().Var(&after, "timeout", "end them after this time if they have not ended; 0: at once")
	return cmd
}

// stopAfter is a time, 0 included; less than 0 if none is given.
type stopAfter time.Duration

func (l *stopAfter) String() string {
	if *l < 0 {
		return ""
	}
	return time.Duration(*l).String()
}

func (l *stopAfter) Type() string { return "TIME" }

func (l *stopAfter) Set(s string) error {
	var t options.Limit
	if err := t.Set(s); err != nil && s != "0" {
		return err
	}
	*l = stopAfter(t)
	return nil
}

// obeyTime is how long the process of a machine may take to end it, after which it is
// killed, and the machine with it.
const obeyTime = 10 * time.Second

// stopMachine ends a machine and returns how it ended.
func stopMachine(ctx context.Context, r *detached.Record, after time.Duration) (detached.State, detached.End, error) {
	var late <-chan time.Time
	if after >= 0 {
		late = time.After(after)
	}
	done, err := r.Done()
	if err != nil {
		return 0, detached.End{}, err
	}
	next := []syscall.Signal{detached.KillSignal, syscall.SIGKILL}
	if after == 0 {
		late = time.After(obeyTime)
		err, next = r.Signal(detached.KillSignal), next[1:]
	} else {
		err = r.Signal(syscall.SIGTERM)
	}
	for {
		if err != nil && !errors.Is(err, os.ErrProcessDone) {
			return 0, detached.End{}, err
		}
		select {
		case <-done:
			return r.Wait(ctx)
		case <-late:
			err, next = r.Signal(next[0]), next[1:]
			if late = nil; len(next) > 0 {
				late = time.After(obeyTime)
			}
		case <-ctx.Done():
			return 0, detached.End{}, context.Cause(ctx)
		}
	}
}

// howEnded says how a machine ended.
func howEnded(state detached.State, e detached.End) string {
	text := fmt.Sprintf("ended with status %d", e.Status)
	if state == detached.Killed {
		text = "its process was killed: how its program ended is not known"
	}
	if e.Why != "" {
		text += ": " + printable(e.Why)
	}
	return text
}

func waitCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "wait NAME...",
		Short: "Wait for machines in the background, print their statuses and end with the last one",
		Long: `Wait waits until machines have ended and prints the status of each, a line each; the
last one is its own, as that of the program is that of yolk run. It is 137 for a machine
whose process was killed.`,
		Args:              machineNames,
		ValidArgsFunction: completeMachines(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			// All are looked up before one is waited for: with --rm they go when they end.
			var list []*detached.Record
			for _, name := range args {
				r, err := findMachine(name)
				if err != nil {
					return err
				}
				defer r.Close()
				list = append(list, r)
			}
			last := 0
			for _, r := range list {
				_, end, err := r.Wait(cmd.Context())
				if err != nil {
					return err
				}
				fmt.Println(end.Status)
				last = end.Status
			}
			if last != 0 {
				return exit.Status(last)
			}
			return nil
		},
	}
}

func rmCmd() *cobra.Command {
	var force, all bool
	cmd := &cobra.Command{
		Use:   "rm NAME...",
		Short: "Remove what is left of machines that have ended: status and log",
		Args: func(cmd *cobra.Command, args []string) error {
			if all {
				return options.NoArgs(cmd, args)
			}
			return machineNames(cmd, args)
		},
		ValidArgsFunction: completeMachines(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if all {
				list, err := listMachines(true)
				if err != nil {
					return err
				}
				for _, l := range list {
					if force || l.State == stateNames[detached.Ended] || l.State == stateNames[detached.Killed] {
						args = append(args, l.Name)
					}
				}
			}
			return forMachines(args, func(r *detached.Record) error {
				if force {
					if _, _, err := stopMachine(cmd.Context(), r, 0); err != nil {
						return err
					}
				}
				return r.Remove()
			})
		},
	}
	cmd.Flags().BoolVarP(&force, "force", "f", false, "end them at once before, where they run")
	cmd.Flags().BoolVarP(&all, "all", "a", false, "all that have ended")
	return cmd
}

// forMachines does something with each of the machines, all at the same time.
func forMachines(names []string, do func(r *detached.Record) error) error {
	errs := make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			r, err := findMachine(name)
			if err == nil {
				defer r.Close()
				err = do(r)
			}
			errs[i] = err
		})
	}
	all.Wait()
	var list []error
	for _, err := range errs {
		if err != nil {
			list = append(list, err)
		}
	}
	return errors.Join(list...)
}
