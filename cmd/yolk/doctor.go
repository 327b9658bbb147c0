package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/qemu"
	"github.com/yolkos/yolk/toolchain"
)

func doctorCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Show what is installed, what works, and what to install",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			missing := qemu.Examine(cmd.Context(), func(name, state string) { fmt.Fprintf(w, "%s\t%s\n", name, state) })
			examineToolchain(cmd, w)
			if err := w.Flush(); err != nil {
				return err
			}
			if missing {
				fmt.Fprintln(cmd.OutOrStdout(), qemu.InstallHint())
				return exitStatus(1)
			}
			return nil
		},
	}
}

func examineToolchain(cmd *cobra.Command, w io.Writer) {
	state, err := toolchain.Status(cmd.Context())
	if err != nil {
		state = err.Error()
	}
	if name := os.Getenv("TAMAGO"); name != "" {
		state += " ($TAMAGO)"
	}
	fmt.Fprintf(w, "toolchain\t%s\n", state)
}
