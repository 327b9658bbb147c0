package options

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// CompleteFlags has the shell complete the values of a command's options.
func CompleteFlags(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		complete := completionOf(f)
		if complete == nil {
			return
		}
		if err := cmd.RegisterFlagCompletionFunc(f.Name, complete); err != nil {
			panic(err) // the flag exists
		}
	})
}

// completionOf returns what completes the value of an option; nil: file names.
func completionOf(f *pflag.Flag) cobra.CompletionFunc {
	switch v := f.Value.(type) {
	case *Choice:
		return cobra.FixedCompletions(v.words, cobra.ShellCompDirectiveNoFileComp)
	case *Memory:
		return cobra.FixedCompletions([]string{"32M", "64M", "128M", "256M", "512M", "1G", "2G", "4G"}, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder)
	case *DiskSize:
		return cobra.FixedCompletions([]string{"64M", "256M", "1G", "4G", "16G"}, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder)
	case *CPUs, *Limit:
		return cobra.NoFileCompletions
	}
	switch f.Name {
	case "root", "into", "files":
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
	case "mount":
		return completeMount
	case "net":
		return cobra.FixedCompletions([]string{"user", "user," + hostLoopback, "tap=", "none"}, cobra.ShellCompDirectiveNoFileComp)
	case "publish", "ip", "gateway", "dns", "mac", "hostname", "env", "tags", "ldflags", "gcflags", "asmflags", "cwd", "qemu-arg", "name", "debugger-arg", "listen", "of", "prefix", "registry", "replicas", "probe",
		"volume", "config", "secret":
		return cobra.NoFileCompletions
	}
	return nil
}

// completeMount completes the host's directory, then the mode.
func completeMount(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	if strings.Contains(word, ":/") {
		rest, _, _ := cutMode(word)
		return []string{rest + ":ro", rest + ":rw"}, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveFilterDirs | cobra.ShellCompDirectiveNoSpace
}

// CompletePackage completes the package of a command: a directory, a .go file
// or an image. What follows it are files, for all that yolk knows.
func CompletePackage(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var dirs []string
	if word == "" {
		if sources, _ := filepath.Glob("*.go"); len(sources) > 0 {
			dirs = []string{"."}
		}
	}
	return dirs, cobra.ShellCompDirectiveDefault
}

func CompleteValue(f *pflag.Flag, cmd *cobra.Command, word string) ([]string, cobra.ShellCompDirective) {
	complete := completionOf(f)
	if complete == nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return complete(cmd, nil, word)
}

// NoArgs is for commands that take no arguments.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%q: %s takes no arguments", args[0], cmd.CommandPath())
}
