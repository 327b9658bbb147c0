package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/cmd/yolk/internal/image"
	"github.com/yolkos/yolk/cmd/yolk/internal/scratch"
	"github.com/yolkos/yolk/qemu"
	"github.com/yolkos/yolk/toolchain"
)

func runCmd() *cobra.Command {
	var f guestFlags
	var root, cwd, tags, profile string
	var env, mounts []string
	var timeout time.Duration
	var raw, quiet bool
	cmd := &cobra.Command{
		Use:   "run [flags] PKG [-- ARG...]",
		Short: "Build a main package, boot it, and pass its exit status on",
		Long: `Run builds a main package (a directory, an import path or .go files), boots it in
QEMU and ends with its exit status. The program's output goes where yolk's
goes; the kernel's log goes to standard error.

Status 124 means that --timeout ended the program, 125 that yolk could not run
it or that its machine failed.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			packages, programArgs, err := splitRunArgs(args, cmd.ArgsLenAtDash())
			if err != nil {
				return err
			}
			o := &qemu.Options{Dir: cwd, Quiet: quiet, Timeout: timeout}
			if o.Env, err = environment(env); err != nil {
				return err
			}
			if o.Shares, err = shares(root, mounts); err != nil {
				return err
			}
			notes := io.Writer(os.Stderr)
			if quiet {
				notes = io.Discard
			}
			if err := f.fill(cmd.Context(), o, notes); err != nil {
				return err
			}
			if profile != "" {
				file, err := createProfile(profile)
				if err != nil {
					return err
				}
				defer file.close()
				o.Profile = file
			}
			var name string
			o.Kernel, name, err = buildImage(cmd.Context(), packages, tags, profile != "", o.Trace)
			if err != nil {
				return err
			}
			o.Args = append([]string{name}, programArgs...)
			if raw {
				restore, err := cbreak(os.Stdin)
				if err != nil {
					return err
				}
				defer restore()
			}
			return boot(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	f.add(flags, "256M")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "show the commands that are run")
	flags.StringVar(&root, "root", "", "directory of the host that the guest has as its root, DIR[:ro]; without it nothing is shared")
	flags.StringArrayVar(&mounts, "mount", nil, "directory of the host to mount in the guest, HOSTDIR:/guest/path[:ro] (repeatable)")
	flags.StringVar(&cwd, "cwd", "/", "working directory in the guest")
	flags.StringArrayVar(&env, "env", nil, "set an environment variable: K=V, or K for the host's value (repeatable)")
	flags.DurationVar(&timeout, "timeout", 0, "end the guest after this time, with status 124")
	flags.StringVar(&tags, "tags", "", "build tags, separated by commas")
	flags.StringVar(&profile, "profile", "", "write a CPU profile of the program to this file, for go tool pprof")
	flags.BoolVar(&raw, "raw", false, "pass each key on as it is typed, without echo (Ctrl-C still ends)")
	flags.BoolVarP(&quiet, "quiet", "q", false, "no boot messages")
	return cmd
}

// splitRunArgs divides the arguments into those before -- , the package, and
// those after it, the program's.
func splitRunArgs(args []string, dash int) (packages, program []string, err error) {
	if dash < 0 {
		dash = len(args)
	}
	packages, program = args[:dash], args[dash:]
	if len(packages) == 0 {
		return nil, nil, errors.New("no package to run; . is the one in this directory")
	}
	for _, p := range packages[1:] {
		if !strings.HasSuffix(p, ".go") {
			return nil, nil, fmt.Errorf("%q after the package: the program's arguments go after --", p)
		}
	}
	return packages, program, nil
}

// builder prepares what every build needs. The caller removes the directory.
func builder(ctx context.Context, trace io.Writer) (*image.Builder, *scratch.Dir, error) {
	t, err := toolchain.Ensure(ctx, os.Stderr)
	if err != nil {
		return nil, nil, err
	}
	guest, err := image.UnpackGuest()
	if err != nil {
		return nil, nil, err
	}
	dir, err := scratch.New()
	if err != nil {
		return nil, nil, err
	}
	return &image.Builder{Toolchain: t, Guest: guest, Scratch: dir.Path, Trace: trace}, dir, nil
}

// buildImage builds a package into a file that has no name any more.
func buildImage(ctx context.Context, packages []string, tags string, profile bool, trace io.Writer) (*os.File, string, error) {
	b, dir, err := builder(ctx, trace)
	if err != nil {
		return nil, "", err
	}
	b.Profile = profile
	defer dir.Remove()
	file := filepath.Join(dir.Path, "image")
	name, err := b.Build(ctx, file, packages, "-buildvcs=false", "-tags="+tags)
	if err != nil {
		return nil, "", err
	}
	f, err := os.Open(file)
	return f, name, err
}
