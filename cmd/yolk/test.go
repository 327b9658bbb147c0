package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/qemu"
)

// testMemory is the memory of a guest that runs tests, where --mem says
// nothing else.
const testMemory = "1G"

// execCommand is the hidden command by which go test runs a test binary.
const execCommand = "exec-test"

func testCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "test [--machine M] [--accel A] [--mem SIZE] [--cpus N] [--daemon D] [--cache C] [go test flags] [PKG...]",
		Short: "go test, with the test binary of each package booted in a guest",
		Long: `Test runs go test with its flags, its output and its verdict. The guest has the
host's root directory as its own, and the package's directory as its working
directory. The options of the guest come first.`,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			f, args, err := splitGuestFlags(args)
			if errors.Is(err, pflag.ErrHelp) {
				return cmd.Help()
			}
			if err != nil {
				return err
			}
			o := &qemu.Options{}
			if err := f.fill(cmd.Context(), o, os.Stderr); err != nil {
				return err
			}
			b, dir, err := builder(cmd.Context(), traceTo(f.verbose))
			if err != nil {
				return err
			}
			defer dir.Remove()
			wd, err := os.Getwd()
			if err != nil {
				return err
			}
			self, err := os.Executable()
			if err != nil {
				return err
			}
			wrapper := []string{self, execCommand, "--machine=" + f.machine, "--accel=" + string(o.Accel),
				"--mem=" + f.mem, "--cpus=" + strconv.Itoa(f.cpus), "--daemon=" + f.daemon, "--cache=" + f.cache}
			c, err := b.Test(cmd.Context(), wd, quoteExec(wrapper), args)
			if err != nil {
				return err
			}
			return foreground(cmd.Context(), c, f.verbose)
		},
	}
}

// splitGuestFlags takes the guest's options from the front of the arguments;
// from the first other one on they are go test's.
func splitGuestFlags(args []string) (*guestFlags, []string, error) {
	f := &guestFlags{}
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.add(set, testMemory)
	set.BoolVar(&f.verbose, "verbose", false, "")
	i := 0
	for i < len(args) {
		name, ok := strings.CutPrefix(args[i], "--")
		name, _, joined := strings.Cut(name, "=")
		if name == "help" || args[i] == "-h" {
			return nil, nil, pflag.ErrHelp
		}
		flag := set.Lookup(name)
		if !ok || flag == nil {
			break
		}
		if i++; !joined && flag.NoOptDefVal == "" {
			i++
		}
	}
	i = min(i, len(args))
	return f, args[i:], set.Parse(args[:i])
}

// quoteExec joins words for go test's -exec, which splits at spaces outside
// quotes.
func quoteExec(words []string) string {
	for i, w := range words {
		if strings.ContainsAny(w, " \t\n'\"") {
			q := "'"
			if strings.Contains(w, "'") {
				q = `"`
			}
			words[i] = q + w + q
		}
	}
	return strings.Join(words, " ")
}

func execTestCmd() *cobra.Command {
	var f guestFlags
	cmd := &cobra.Command{
		Use:    execCommand + " BINARY ARG...",
		Hidden: true,
		Args:   cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			// The go command must not outlive this, nor this it.
			runtime.LockOSThread()
			if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGTERM), 0, 0, 0); err != nil {
				return err
			}
			o := &qemu.Options{
				Args:   args,
				Env:    testEnvironment(os.Environ()),
				Quiet:  true,
				Shares: []qemu.Share{{Tag: rootTag, Dir: "/"}},
			}
			if o.Dir, err = os.Getwd(); err != nil {
				return err
			}
			if hidden := hiddenIn(o.Dir); hidden != "" {
				share, err := below(hidden, o.Dir)
				if err != nil {
					return err
				}
				o.Shares = append(o.Shares, share)
			}
			if err := f.fill(cmd.Context(), o, os.Stderr); err != nil {
				return err
			}
			if o.Kernel, err = os.Open(args[0]); err != nil {
				return err
			}
			return boot(cmd.Context(), o)
		},
	}
	f.add(cmd.Flags(), testMemory)
	cmd.Flags().SetInterspersed(false)
	return cmd
}

// testEnvironment is the environment of a test: the host's, but for the
// directories for temporary files, which the guest has its own of.
func testEnvironment(env []string) []string {
	var out []string
	for _, e := range env {
		key, _, _ := strings.Cut(e, "=")
		if key != "TMPDIR" && key != "GOTMPDIR" {
			out = append(out, e)
		}
	}
	return out
}

// hiddenIn returns the directory of the guest's own that hides a path of the
// host's, or nothing.
func hiddenIn(path string) string {
	for _, top := range []string{"/tmp", "/proc", "/dev"} {
		if path == top || strings.HasPrefix(path, top+"/") {
			return top
		}
	}
	return ""
}

// below shares the directory of the host in the guest's own directory top, say
// /tmp/work in /tmp, that path lies in.
func below(top, path string) (qemu.Share, error) {
	rest := strings.TrimPrefix(path, top+"/")
	if top != "/tmp" || rest == path {
		return qemu.Share{}, fmt.Errorf("%s: the guest has a %s of its own; test packages that lie elsewhere", path, top)
	}
	name, _, _ := strings.Cut(rest, "/")
	dir := top + "/" + name
	return qemu.Share{Tag: "work", Dir: dir, Path: dir}, nil
}
