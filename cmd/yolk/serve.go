package main

import (
	"os/signal"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/qemu"
)

// serveCommand is the hidden command that runs the built-in virtio-fs server.
const serveCommand = "serve-fs"

func serveCmd() *cobra.Command {
	return &cobra.Command{
		Use:    serveCommand + " DIR CACHE",
		Hidden: true,
		Args:   cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			signal.Reset() // there is no guest here that has to be ended in good order
			return qemu.ServeBuiltin(args[0], qemu.Cache(args[1]))
		},
	}
}
