package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"
	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/cmd/yolk/internal/inspect"
	"github.com/yolkos/yolk/cmd/yolk/internal/options"
	"github.com/yolkos/yolk/qemu"
)

func topCmd() *cobra.Command {
	interval := options.Limit(time.Second)
	cmd := &cobra.Command{
		Use:   "top [NAME|PID]",
		Short: "Show live what a machine does: processors, heap, interrupts, requests, network",
		Long: `Top shows what a machine of this user does that runs: its name, if it is in the
background, that of its program, or the number of its yolk process; or the only one. What is shown comes from the kernel's files
in /proc, as often as --interval says. Where standard output is no terminal, or none on which
the cursor can be moved (TERM=dumb), it is printed once. Keys: q ends it, the space bar holds it.`,
		Example: "  yolk top\n" +
			"  yolk top server\n" +
			"  yolk top --interval 5s 4711 | head",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if time.Duration(interval) < shortest {
				return fmt.Errorf("--interval %v: %v is the shortest", time.Duration(interval), shortest)
			}
			name := strings.Join(args, "")
			r, err := inspect.Find(name)
			if err != nil {
				return err
			}
			defer r.Close()
			if !qemu.HasTerminal(os.Stdout) || !drawable() {
				return printOnce(cmd.Context(), r, time.Duration(interval))
			}
			return watchMachine(cmd.Context(), r, time.Duration(interval))
		},
	}
	cmd.Flags().Var(&interval, "interval", "time from one look to the next")
	options.CompleteFlags(cmd)
	return cmd
}

// drawable reports whether TERM names a terminal on which the cursor goes where it is told:
// "dumb" and a name that nobody knows do not.
func drawable() bool {
	_, err := tcell.NewScreen() // it looks for the terminal's description, and leaves the terminal alone
	return err == nil
}

// shortest is the least time from one look to the next: each takes the guest some.
const shortest = 100 * time.Millisecond

// plainWidth is how wide lines are that do not go to a terminal, in characters.
const plainWidth = 160

// printOnce prints what a machine does in one interval.
func printOnce(ctx context.Context, r *inspect.Running, interval time.Duration) error {
	before, err := inspect.Take(ctx, r)
	if err != nil {
		return err
	}
	select {
	case <-time.After(interval):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	now, err := inspect.Take(ctx, r)
	if err != nil {
		return err
	}
	_, err = fmt.Println(strings.Join(inspect.View(r.About, before, now, plainWidth), "\n"))
	return err
}

// watchMachine shows a machine on the terminal until it ends, or the user does not want to
// see it any more.
func watchMachine(ctx context.Context, r *inspect.Running, interval time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	t := &topScreen{Box: tview.NewBox(), about: r.About}
	app := tview.NewApplication().SetRoot(t, true)
	app.SetInputCapture(func(key *tcell.EventKey) *tcell.EventKey {
		switch {
		case key.Rune() == 'q', key.Key() == tcell.KeyEscape, key.Key() == tcell.KeyCtrlC:
			app.Stop()
		case key.Rune() == ' ':
			t.held = !t.held
		}
		return nil
	})
	failed := make(chan error, 1)
	go func() {
		defer app.Stop()
		for {
			s, err := inspect.Take(ctx, r)
			if err != nil {
				failed <- err
				return
			}
			app.QueueUpdateDraw(func() { t.take(s) })
			select {
			case <-time.After(interval):
			case <-ctx.Done():
				failed <- context.Cause(ctx)
				return
			}
		}
	}()
	err := app.Run()
	select {
	case ended := <-failed: // by itself, or by a signal
		err = errors.Join(err, ended)
	default:
	}
	cancel()
	return err
}

// topScreen is what yolk top shows.
type topScreen struct {
	*tview.Box
	about       inspect.About
	before, now *inspect.Sample
	held        bool
}

func (t *topScreen) take(s *inspect.Sample) {
	if !t.held {
		t.before, t.now = t.now, s
	}
}

// Draw implements tview.Primitive.
func (t *topScreen) Draw(screen tcell.Screen) {
	t.DrawForSubclass(screen, t)
	x, y, width, height := t.GetInnerRect()
	if t.now == nil || height < 1 {
		return
	}
	lines := inspect.View(t.about, t.before, t.now, width)
	keys := "q: end   space: hold"
	if t.held {
		keys = "q: end   space: go on"
	}
	for i, line := range append(lines[:min(len(lines), height-1)], keys) {
		tview.Print(screen, tview.Escape(line), x, y+i, width, tview.AlignLeft, tcell.ColorDefault)
	}
}
