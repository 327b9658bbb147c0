package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/cmd/yolk/internal/exit"
	"github.com/yolkos/yolk/cmd/yolk/internal/options"
	"github.com/yolkos/yolk/qemu"
	"github.com/yolkos/yolk/toolchain"
)

func doctorCmd() *cobra.Command {
	var install bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Show what is installed, what works, and what to install",
		Args:  options.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if install {
				return installMissing(cmd)
			}
			out := cmd.OutOrStdout()
			w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
			qemu.Examine(cmd.Context(), func(name, state string) { fmt.Fprintf(w, "%s\t%s\n", name, state) })
			examineToolchain(cmd, w)
			if cmd.Context().Err() != nil { // what was found is not so
				return context.Cause(cmd.Context())
			}
			if err := w.Flush(); err != nil {
				return err
			}
			if len(qemu.Missing()) == 0 {
				return nil
			}
			fmt.Fprintln(out, qemu.InstallHint())
			if _, err := qemu.FindQEMU(); err != nil {
				return exit.Status(1)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&install, "install", false, "install what is missing, as root on Debian; else say how")
	return cmd
}

func examineToolchain(cmd *cobra.Command, w io.Writer) {
	state, err := toolchain.Status(cmd.Context())
	if err != nil {
		state = err.Error()
	}
	if os.Getenv("TAMAGO") != "" {
		state += " ($TAMAGO)"
	}
	fmt.Fprintf(w, "toolchain\t%s\n", state)
}

// installMissing installs the packages that are not there.
func installMissing(cmd *cobra.Command) error {
	names := qemu.Missing()
	if len(names) == 0 {
		return nil
	}
	if !qemu.CanInstall() {
		return notInstalled(cmd)
	}
	install := qemu.InstallCommand(names)
	// The first try fails where the package lists were never fetched.
	for _, args := range [][]string{install, {"apt-get", "update"}, install} {
		fmt.Fprintln(cmd.ErrOrStderr(), "+", strings.Join(args, " "))
		c := exec.CommandContext(cmd.Context(), args[0], args[1:]...)
		c.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		c.Stdout, c.Stderr = os.Stderr, os.Stderr
		err := c.Run()
		if err == nil && args[1] == "install" {
			return nil
		}
	}
	return notInstalled(cmd)
}

// notInstalled is an error only where QEMU is missing: for virtiofsd there is
// the built-in server.
func notInstalled(cmd *cobra.Command) error {
	if _, err := qemu.FindQEMU(); err != nil {
		return errors.New("QEMU is missing; " + qemu.InstallHint())
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "yolk: no virtiofsd, so the built-in server will be used;", qemu.InstallHint())
	return nil
}
