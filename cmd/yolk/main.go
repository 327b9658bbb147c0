// Command yolk builds ordinary Go programs for a virtual machine without an
// operating system and runs them there, with a directory of the host as
// their root.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/cmd/yolk/internal/exit"
	"github.com/yolkos/yolk/cmd/yolk/internal/manage"
	"github.com/yolkos/yolk/cmd/yolk/internal/signals"
	"github.com/yolkos/yolk/toolchain/group"
)

func main() {
	withoutHome()
	cmd := root()
	cmd.SetArgs(doubleDashes(cmd, os.Args[1:]))
	ctx := signals.Context()
	// Without it a killed command's own children end a moment later, which is all.
	_ = group.Adopt()
	err := cmd.ExecuteContext(ctx)
	status := statusOf(ctx, err, lastWords)
	if ctx.Err() != nil {
		group.Leave(remainsTime)
	}
	os.Exit(status)
}

// remainsTime is how long the remains of what a signal has ended are waited for: what has been
// killed needs milliseconds, and what has gone to the background has its own time.
const remainsTime = time.Second

// lastWords is where the error goes that yolk ends with.
var lastWords io.Writer = os.Stderr

// withoutHome gives the go command a place for modules where it would refuse to
// work for want of one: XDG_CACHE_HOME is enough for everything else.
func withoutHome() {
	if os.Getenv("HOME") != "" || os.Getenv("GOPATH") != "" || os.Getenv("GOMODCACHE") != "" {
		return
	}
	if cache, err := os.UserCacheDir(); err == nil {
		os.Setenv("GOPATH", filepath.Join(cache, "yolk", "gopath"))
	}
}

// statusOf prints an error to notes and returns the status that yolk ends with.
func statusOf(ctx context.Context, err error, notes io.Writer) int {
	var s exit.Status
	if err == nil {
		return 0
	}
	if errors.As(err, &s) {
		return int(s)
	}
	// Whatever else is said to have failed, this is why.
	for _, e := range []error{err, context.Cause(ctx)} {
		if sig, ok := signals.AsError(e); ok {
			return 128 + int(sig)
		}
	}
	fmt.Fprintln(notes, "yolk:", strings.TrimSpace(err.Error())+descriptorCure(err))
	return exit.Failed
}

// descriptorCure is what to do about an error that is for want of descriptors, of this
// process or of one that it has started and whose words it passes on; "" for another one.
func descriptorCure(err error) string {
	text := strings.ToLower(err.Error())
	switch {
	case strings.Contains(text, syscall.ENFILE.Error()):
		return "; all descriptors of this host are in use: fs.file-max says how many there are"
	case strings.Contains(text, syscall.EMFILE.Error()):
		var limit syscall.Rlimit
		if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
			return fmt.Sprintf("; a process may have %d descriptors here: raise the limit (ulimit -n)", limit.Max)
		}
	}
	return ""
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "yolk",
		Short: "Run an ordinary Go program as the whole kernel of a virtual machine",
		Long: `Yolk runs an ordinary Go program as the whole kernel of a virtual machine.

What yolk itself fails at ends with status 125, a program's time limit with 124,
a signal with 128 and its number. All other statuses are those of the program,
or of the go command that yolk runs.`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.SetVersionTemplate("{{.Version}}\n")
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; %s --help lists the options", err, cmd.CommandPath())
	})
	cmd.AddCommand(
		runCmd(),
		debugCmd(),
		treeCmd(),
		topCmd(),
		buildCmd(),
		bundleCmd(),
		imageCmd(),
		testCmd(),
		goCmd(),
		toolchainCmd(),
		doctorCmd(),
		manCmd(),
		versionCmd(),
		backgroundCmd(),
		execTestCmd(),
		serveCmd(),
		serveNetCmd(),
		serveDebuggerCmd(),
	)
	cmd.AddCommand(manage.Commands()...)
	cmd.InitDefaultHelpCmd()
	return cmd
}
