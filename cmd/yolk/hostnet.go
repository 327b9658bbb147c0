package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/yolkos/yolk/cmd/yolk/internal/image"
	"github.com/yolkos/yolk/cmd/yolk/internal/options"
	"github.com/yolkos/yolk/qemu"
)

// openNetwork opens what the guest's network needs of the host, so that what is
// taken or forbidden is told before anything is built, and tells on notes which
// ports were chosen.
func openNetwork(n *qemu.Network, notes io.Writer) error {
	if n.Backend == qemu.TapNetwork {
		if err := qemu.CheckTap(n.Tap); err != nil {
			return err
		}
	}
	for i := range n.User.Forwards {
		f := &n.User.Forwards[i]
		wanted := *f
		s, err := f.Listen()
		if err != nil {
			closeNetwork(n)
			return fmt.Errorf("--publish %v: %w", wanted, err)
		}
		n.Sockets = append(n.Sockets, s)
		if wanted.Host == 0 {
			fmt.Fprintf(notes, "yolk: port %d of the host leads to port %d of the guest: %v\n", f.Host, f.Guest, *f)
		}
	}
	if n.Pcap == "" {
		return nil
	}
	abs, err := filepath.Abs(n.Pcap)
	n.Pcap = abs
	return err
}

func closeNetwork(n *qemu.Network) {
	for _, s := range n.Sockets {
		s.Close()
	}
	n.Sockets = nil
}

// decideNetwork gives the guest a network if nobody has said whether it is to have
// one, and the program has the means to use it. Where somebody has, and it has not, that
// is said on notes.
func decideNetwork(o *qemu.Options, notes io.Writer) error {
	n, has := &o.Network, image.HasNetwork(o.Kernel)
	switch {
	case n.Backend == qemu.NoNetwork:
	case n.Backend == "" && has:
		n.Backend = qemu.UserNetwork
	case n.Backend == "":
		n.Backend = qemu.NoNetwork
	case !has:
		what := "nobody answers on the network device"
		if len(n.User.Forwards) > 0 {
			what = fmt.Sprintf("--publish %v leads to nobody", n.User.Forwards[0])
		}
		fmt.Fprintf(notes, "yolk: the program does not have package net, so its image has no network: %s\n", what)
	}
	return options.CheckRoom(o)
}
