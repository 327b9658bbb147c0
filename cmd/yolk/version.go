package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/cmd/yolk/internal/options"
)

func versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of yolk, and of the Go that it was built with",
		Args:  options.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version())
			return err
		},
	}
}

// version tells what this yolk was built from, as far as the go command knew.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "yolk, of an unknown version"
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	name := info.Main.Version
	if name == "" {
		name = "(devel)"
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if revision := settings["vcs.revision"]; revision != "" && name == "(devel)" {
		name += fmt.Sprintf(" %.12s", revision)
		if settings["vcs.modified"] == "true" {
			name += " with changes"
		}
	}
	return fmt.Sprintf("yolk %s, %s %s/%s", name, info.GoVersion, settings["GOOS"], settings["GOARCH"])
}
