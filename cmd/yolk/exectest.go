package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/cmd/yolk/internal/options"
	"github.com/yolkos/yolk/qemu"
)

// execCommand is the hidden command by which go test runs a test binary.
const execCommand = "exec-test"

func execTestCmd() *cobra.Command {
	return &cobra.Command{
		Use:                execCommand + " BINARY ARG...",
		Hidden:             true,
		Args:               cobra.MinimumNArgs(1),
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			// The go command must not outlive this, nor this it.
			runtime.LockOSThread()
			if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGTERM), 0, 0, 0); err != nil {
				return err
			}
			var settings testSettings
			if err := json.Unmarshal([]byte(os.Getenv(settingsVar)), &settings); err != nil {
				return fmt.Errorf("this command is for yolk's own use (%s: %w)", settingsVar, err)
			}
			if err := restore(settings.Environ); err != nil {
				return err
			}
			f, err := parseGuestFlags(settings.Guest)
			if err != nil {
				return err
			}
			o := &qemu.Options{Args: args, Quiet: true, StopTimeout: time.Duration(defaultStop)}
			if o.Dir, err = os.Getwd(); err != nil {
				return err
			}
			if o.Env, err = f.Env.Environment(testEnvironment(os.Environ())); err != nil {
				return err
			}
			if err := f.Fill(o, "/"); err != nil {
				return err
			}
			if err := addTestShares(o, f.Tree.Root != "", settings.Scratch); err != nil {
				return err
			}
			if err := options.Check(o, options.Carried{}); err != nil {
				return err
			}
			if o.Kernel, err = os.Open(args[0]); err != nil {
				return err
			}
			if err := decideNetwork(o, os.Stderr); err != nil {
				return err
			}
			if err := openNetwork(&o.Network, os.Stderr); err != nil {
				return err
			}
			return boot(cmd.Context(), o)
		},
	}
}

// restore takes back, in yolk's own environment, what was replaced for go test.
func restore(environ []string) error {
	for _, v := range environ {
		name, value, set := strings.Cut(v, "=")
		err := os.Unsetenv(name)
		if set {
			err = os.Setenv(name, value)
		}
		if err != nil {
			return fmt.Errorf("environment variable %q: %w", name, err)
		}
	}
	return nil
}

// testEnvironment is the environment of a test: the host's, but for what yolk
// has put there and for the directories for temporary files, which the guest has
// its own of.
func testEnvironment(env []string) []string {
	var out []string
	for _, e := range env {
		key, _, _ := strings.Cut(e, "=")
		if key != "TMPDIR" && key != "GOTMPDIR" && key != settingsVar {
			out = append(out, e)
		}
	}
	return out
}

// addTestShares adds what a test needs of the host where the root of the guest
// does not have it: the module of the package, with the working directory, and
// go test's own files.
func addTestShares(o *qemu.Options, otherRoot bool, scratch string) error {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return err
	}
	hidden := hiddenIn(dir)
	switch {
	case hidden != "":
		share, err := below(hidden, dir)
		if err != nil {
			return err
		}
		o.Shares = append(o.Shares, share)
	case otherRoot:
		module := moduleOf(dir)
		o.Shares = append(o.Shares, qemu.Share{Tag: "work", Dir: module, Path: module})
	}
	if otherRoot && scratch != "" {
		o.Shares = append(o.Shares, qemu.Share{Tag: "go-test", Dir: scratch, Path: scratch})
	}
	return nil
}

// moduleOf returns the directory with the go.mod that a directory belongs to, or
// the directory itself.
func moduleOf(dir string) string {
	for at := dir; at != "/"; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
	}
	return dir
}

// hiddenIn returns the directory of the guest's own that hides a path of the
// host's, or nothing.
func hiddenIn(path string) string {
	for _, top := range options.KernelDirs {
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
