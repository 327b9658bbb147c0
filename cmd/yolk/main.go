// Command yolk builds ordinary Go programs for a virtual machine without an
// operating system and runs them there, with a directory of the host as
// their root.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := root().ExecuteContext(ctx)
	stop()
	os.Exit(status(err))
}

// exitStatus is an error that carries nothing but the status to end with:
// what there is to say has been said.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// status prints an error and returns the status that yolk ends with.
func status(err error) int {
	var s exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &s):
		return int(s)
	}
	fmt.Fprintln(os.Stderr, "yolk:", err)
	return 1
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "yolk",
		Short:         "Run an ordinary Go program as the whole kernel of a virtual machine",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(toolchainCmd())
	return cmd
}
