package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/cmd/yolk/internal/options"
	"github.com/yolkos/yolk/toolchain"
)

func toolchainCmd() *cobra.Command {
	var into, files string
	var noTools bool
	cmd := &cobra.Command{
		Use:   "toolchain",
		Short: "Build the GOOS=tamago Go where it is not built yet, and print where it is",
		Args:  options.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var t *toolchain.Toolchain
			var err error
			switch {
			case into != "":
				t, err = toolchain.Into(cmd.Context(), into, files, !noTools, cmd.ErrOrStderr())
			case noTools || files != "":
				return errors.New("--no-tools and --files go with --into")
			default:
				t, err = toolchain.Ensure(cmd.Context(), "", cmd.ErrOrStderr())
			}
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), t.Go)
			return nil
		},
	}
	cmd.Flags().StringVar(&into, "into", "", "for work on the toolchain: make or refresh one in this directory, outside the cache")
	cmd.Flags().StringVar(&files, "files", "", "with --into: lay the files of this directory, not the built-in ones")
	cmd.Flags().BoolVar(&noTools, "no-tools", false, "with --into: leave the tools as they are")
	options.CompleteFlags(cmd)
	return cmd
}
