// Command yolk builds ordinary Go programs for a virtual machine without an
// operating system and runs them there, with a directory of the host as
// their root.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(status(root().ExecuteContext(onSignal())))
}

// exitStatus is an error that carries nothing but the status to end with:
// what there is to say has been said.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// status prints an error and returns the status that yolk ends with.
func status(err error) int {
	var s exitStatus
	var signal *signalError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &s):
		return int(s)
	case errors.As(err, &signal):
		return 128 + int(signal.sig)
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
	cmd.AddCommand(runCmd(), buildCmd(), testCmd(), goCmd(), toolchainCmd(), doctorCmd(), execTestCmd(), serveCmd())
	return cmd
}
