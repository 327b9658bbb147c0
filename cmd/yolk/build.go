package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/cmd/yolk/internal/options"
)

func buildCmd() *cobra.Command {
	var build options.Build
	var embed options.Embed
	var out string
	var verbose bool
	cmd := &cobra.Command{
		Use:   "build [-o FILE] [PKG]",
		Short: "Build a main package into an image that QEMU boots with -kernel",
		Long: `Build builds a main package, named as for go build or go run (a directory, an
import path, PKG@VERSION or .go files), into an image. yolk run boots it, or QEMU
itself with -kernel.

An image can carry its root, arguments, environment and working directory, and then
needs nothing at run time. What is given then goes before it: arguments replace those in
the image, variables those of the same name, and a directory that is shared as
the root hides the one in the image.`,
		Example: "  yolk build ./cmd/server\n" +
			"  yolk build -trimpath -ldflags='-s -X main.version=1.2' -o server.elf ./cmd/server\n" +
			"  yolk build --root ./site --root ./conf:/etc/server --args '-listen :8080' --env MODE=prod ./cmd/server",
		ValidArgsFunction: options.CompletePackage,
		RunE: func(cmd *cobra.Command, args []string) error {
			flags, err := build.Flags()
			if err != nil {
				return err
			}
			b, done, err := shownBuilder(cmd.Context(), traceTo(verbose))
			if err != nil {
				return err
			}
			defer done()
			p, err := b.Program(cmd.Context(), args, flags...)
			if err != nil {
				return err
			}
			file, err := outputFile(out, p.Name)
			if err != nil {
				return err
			}
			parts, err := embed.Into(p, file)
			if err != nil {
				return err
			}
			return p.BuildWith(cmd.Context(), file, parts)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&out, "output", "o", "", "the image, or a directory for it; default: the program's name, in this directory")
	embed.Add(flags)
	build.Add(flags)
	flags.BoolVarP(&verbose, "verbose", "v", false, "show the commands that are run")
	options.CompleteFlags(cmd)
	return cmd
}

// outputFile returns where go build would put the program.
func outputFile(out, program string) (string, error) {
	file := out
	if out == "" {
		file = program
	}
	info, err := os.Stat(file)
	isDir := err == nil && info.IsDir()
	switch {
	case isDir && out == "":
		return "", fmt.Errorf("%s is a directory here, and the program's name: name the image with -o", program)
	case isDir || strings.HasSuffix(out, "/"):
		if err := os.MkdirAll(file, 0o777); err != nil {
			return "", err
		}
		file = filepath.Join(file, program)
	}
	return filepath.Abs(file) // the go command runs elsewhere
}
