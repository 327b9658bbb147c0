package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/cmd/yolk/internal/image"
	"github.com/yolkos/yolk/cmd/yolk/internal/inspect"
	"github.com/yolkos/yolk/cmd/yolk/internal/options"
	"github.com/yolkos/yolk/cmd/yolk/internal/scratch"
	"github.com/yolkos/yolk/qemu"
)

// treeOptions are the options of yolk tree beside those of yolk run.
type treeOptions struct {
	run     runOptions
	of, svg string
}

func treeCmd() *cobra.Command {
	var o treeOptions
	cmd := &cobra.Command{
		Use:   "tree [flags] [PKG [ARG...]]",
		Short: "Show what a machine is made of: devices, features, memory, mounts",
		Long: `Tree boots a main package, or an image, as yolk run does, up to where the program
would start, and shows what the kernel has found: processors, the memory map, the PCI
functions, the virtio devices with their queues and all features that they offer and that
the driver has accepted, by their names in the specification, and the mounts. Without a
package the machine runs nothing. --of shows a machine that runs.`,
		Example: "  yolk tree --root . --disk disk.img\n" +
			"  yolk tree --machine q35 --svg machine.svg ./cmd/server\n" +
			"  yolk tree --of server",
		Annotations:       map[string]string{programArgs: "true"},
		ValidArgsFunction: options.CompletePackage,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.of != "" {
				if len(args) > 0 {
					return fmt.Errorf("--of %s: a machine that runs has its program already, and does not take %s", o.of, args[0])
				}
				return o.running(cmd.Context(), cmd.OutOrStdout())
			}
			if len(args) > 0 {
				return o.run.run(cmd, args)
			}
			dir, err := emptyProgram()
			if err != nil {
				return err
			}
			defer dir.Remove()
			return o.run.run(cmd, []string{filepath.Join(dir.Path, "nothing")})
		},
	}
	o.run.start = o.start
	flags := cmd.Flags()
	o.run.add(flags)
	flags.StringVar(&o.of, "of", "", "a machine that runs: its name or that of its program, or the number of its process")
	flags.StringVar(&o.svg, "svg", "", "draw a picture into this file")
	options.CompleteFlags(cmd)
	return cmd
}

// emptyProgram makes a program that does nothing.
func emptyProgram() (*scratch.Dir, error) {
	dir, err := scratch.New()
	if err != nil {
		return nil, err
	}
	program := filepath.Join(dir.Path, "nothing")
	err = errors.Join(os.Mkdir(program, 0o700),
		os.WriteFile(filepath.Join(program, "go.mod"), []byte("module nothing\n\ngo 1.24\n"), 0o600),
		os.WriteFile(filepath.Join(program, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o600))
	if err != nil {
		dir.Remove()
		return nil, err
	}
	return dir, nil
}

// errSeen is why a guest ends that has been looked at.
var errSeen = errors.New("the machine has been looked at")

// start boots a guest up to its program and looks at it.
func (t *treeOptions) start(ctx context.Context, o *qemu.Options, _ string, _ io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var machine *inspect.Machine
	o.Hold, o.Quiet = qemu.AfterBoot, true
	if image.HasNetwork(o.Kernel) {
		o.Hold = qemu.AfterNetwork
	}
	o.OnGuest = func(g *qemu.Guest) {
		m, err := inspect.Read(ctx, g)
		if err != nil {
			cancel(err)
			return
		}
		machine = m
		cancel(errSeen)
	}
	about := inspect.About{Program: "machine", Machine: string(o.Machine)}
	if len(o.Args) > 0 {
		about.Program = o.Args[0]
	}
	ownOutputs(o)
	err := runGuest(ctx, o)
	switch {
	case err == nil:
		return errors.New("the program has started and ended: its image is of another version of yolk, which does not wait to be looked at")
	case !errors.Is(err, errSeen):
		return err
	}
	machine.Title = about.Title()
	return t.show(machine, os.Stdout)
}

// running shows a machine that runs.
func (t *treeOptions) running(ctx context.Context, out io.Writer) error {
	r, err := inspect.Find(t.of)
	if err != nil {
		return fmt.Errorf("--of %s: %w", t.of, err)
	}
	defer r.Close()
	m, err := inspect.Read(ctx, r)
	if err != nil {
		return err
	}
	m.Title = r.About.Title()
	return t.show(m, out)
}

// show prints a machine, or draws it.
func (t *treeOptions) show(m *inspect.Machine, out io.Writer) error {
	if t.svg == "" {
		return m.WriteText(out)
	}
	f, err := os.Create(t.svg)
	if err != nil {
		return err
	}
	return errors.Join(m.WriteSVG(f), f.Close())
}

// letInspect returns a function that has other processes of the user look at a guest.
func letInspect(about inspect.About, notes io.Writer) func(*qemu.Guest) {
	return func(g *qemu.Guest) {
		about.Started = time.Now()
		// It goes with this process.
		if _, err := inspect.Serve(g, about); err != nil {
			fmt.Fprintf(notes, "yolk: yolk tree and yolk top cannot look at this machine: %v\n", err)
		}
	}
}
