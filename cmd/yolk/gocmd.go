package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/cmd/yolk/internal/exit"
	"github.com/yolkos/yolk/cmd/yolk/internal/image"
	"github.com/yolkos/yolk/cmd/yolk/internal/signals"
)

func goCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "go ARG...",
		Short: "The go command, set up for the target",
		Long: `Go runs the go command of the toolchain for the guest's system, in a workspace
with Yolk's kernel: go vet, list, doc, mod, env and others. What builds, runs or
tests programs is a command of yolk itself.`,
		Example:            "  yolk go vet ./...\n  yolk go list -deps ./cmd/server",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && insteadOf[args[0]] != "" {
				return fmt.Errorf("yolk go %s: %s", args[0], insteadOf[args[0]])
			}
			b, dir, err := builder(cmd.Context(), nil)
			if err != nil {
				return err
			}
			defer dir.Remove()
			wd, err := os.Getwd()
			if err != nil {
				return err
			}
			c, err := b.Go(cmd.Context(), wd, args)
			if err != nil {
				return err
			}
			return foreground(cmd.Context(), c, false)
		},
	}
}

// insteadOf says what to type for the subcommands of go that would make or run
// programs without Yolk's kernel in them.
var insteadOf = map[string]string{
	"build":   "yolk build builds programs; yolk go vet ./... checks that packages compile",
	"run":     "yolk run runs programs",
	"test":    "yolk test runs tests",
	"install": "yolk build -o FILE builds programs, PKG@VERSION too",
}

// foreground runs a go command with this process's streams and passes its
// exit status on. It stays in the terminal's foreground, where Ctrl-C reaches
// it by itself; other signals are passed on.
func foreground(ctx context.Context, c image.Command, verbose bool) error {
	if verbose {
		fmt.Fprintln(os.Stderr, "+", strings.Join(c.Args, " "))
	}
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	err := cmd.Run()
	var failed *exec.ExitError
	if sig, ok := signals.AsError(context.Cause(ctx)); ok {
		return exit.Status(128 + int(sig))
	}
	if errors.As(err, &failed) && failed.Exited() {
		return exit.Status(failed.ExitCode())
	}
	return err
}
