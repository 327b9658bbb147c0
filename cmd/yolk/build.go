package main

import (
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

func buildCmd() *cobra.Command {
	var out, tags, ldflags string
	var verbose bool
	cmd := &cobra.Command{
		Use:   "build [-o FILE] PKG",
		Short: "Build a main package into an image that QEMU boots with -kernel",
		RunE: func(cmd *cobra.Command, args []string) error {
			b, dir, err := builder(cmd.Context(), traceTo(verbose))
			if err != nil {
				return err
			}
			defer dir.Remove()
			file := filepath.Join(dir.Path, "image")
			if out != "" {
				if file, err = filepath.Abs(out); err != nil {
					return err
				}
			}
			name, err := b.Build(cmd.Context(), file, args, "-tags="+tags, "-ldflags="+ldflags)
			if err != nil || out != "" {
				return err
			}
			return moveFile(file, name)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&out, "output", "o", "", "the image; default: the program's name, in this directory")
	flags.StringVar(&tags, "tags", "", "build tags, separated by commas")
	flags.StringVar(&ldflags, "ldflags", "", "more flags for the linker")
	flags.BoolVarP(&verbose, "verbose", "v", false, "show the commands that are run")
	return cmd
}

func traceTo(verbose bool) io.Writer {
	if verbose {
		return os.Stderr
	}
	return nil
}

// moveFile moves a file, to another file system if need be.
func moveFile(from, to string) error {
	if os.Rename(from, to) == nil {
		return nil
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}
