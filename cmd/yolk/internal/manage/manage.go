// Package manage has the commands for machines in the background: they read, signal and remove
// what package detached keeps of those.
package manage

import "github.com/spf13/cobra"

// Commands returns the commands, for yolk.
func Commands() []*cobra.Command {
	return []*cobra.Command{psCmd(), logsCmd(), stopCmd(), waitCmd(), rmCmd()}
}
