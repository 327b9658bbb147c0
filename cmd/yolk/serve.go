package main

import (
	"os/signal"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/qemu"
)

// serveCommand is the hidden command that runs the built-in virtio-fs server.
const serveCommand = "serve-fs"

// serveNetCommand is the hidden command that runs a guest's network.
const serveNetCommand = "serve-net"

func serveNetCmd() *cobra.Command {
	return &cobra.Command{
		Use:    serveNetCommand + " CONFIG",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			signal.Reset() // as for the server of a directory
			return qemu.ServeNetwork(args[0])
		},
	}
}

func serveCmd() *cobra.Command {
	return &cobra.Command{
		Use:    serveCommand + " DIR CACHE [PIPE]",
		Hidden: true,
		Args:   cobra.RangeArgs(2, 3),
		RunE: func(_ *cobra.Command, args []string) error {
			signal.Reset() // there is no guest here that has to be ended in good order
			return qemu.ServeBuiltin(args[0], qemu.Cache(args[1]), strings.Join(args[2:], ""))
		},
	}
}
