package main

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/cmd/yolk/internal/options"
	"github.com/yolkos/yolk/qemu"
)

// parseNetwork is the network that options describe.
func parseNetwork(t *testing.T, args ...string) qemu.Network {
	t.Helper()
	var f options.Network
	set := pflag.NewFlagSet("net", pflag.ContinueOnError)
	f.Add(set, "p")
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	n, err := f.QEMU()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Ports are taken before anything is built, and said where any was wanted.
func TestOpenNetwork(t *testing.T) {
	n := parseNetwork(t, "-p", "127.0.0.1:0:80", "-p", "127.0.0.1:0:53/udp", "--pcap", "x.pcap")
	var notes strings.Builder
	if err := openNetwork(&n, &notes); err != nil {
		t.Fatal(err)
	}
	defer closeNetwork(&n)
	for _, f := range n.User.Forwards {
		if f.Host == 0 || !strings.Contains(notes.String(), f.String()) {
			t.Errorf("forward %v, notes %q", f, notes.String())
		}
	}
	if len(n.Sockets) != 2 || n.Pcap[0] != '/' {
		t.Errorf("%+v", n)
	}
	again := parseNetwork(t, "-p", n.User.Forwards[0].String())
	if err := openNetwork(&again, &notes); err == nil || !strings.Contains(err.Error(), "in use") || !strings.Contains(err.Error(), "--publish "+n.User.Forwards[0].String()) {
		t.Errorf("a port that is taken: %v", err)
	}
}

// TestDecideNetwork: a program without package net gets no network that nobody has asked
// for, and who has asked is told that it is of no use.
func TestDecideNetwork(t *testing.T) {
	kernel, err := os.Open(os.DevNull) // has no functions
	if err != nil {
		t.Fatal(err)
	}
	defer kernel.Close()
	for args, want := range map[string]struct{ backend, note string }{
		"":                  {"none", ""},
		"--net none":        {"none", ""},
		"--net user":        {"user", "nobody answers"},
		"-p 127.0.0.1:0:80": {"user", "--publish 127.0.0.1:0:80 leads to nobody"},
	} {
		n := parseNetwork(t, strings.Fields(args)...)
		var notes strings.Builder
		o := &qemu.Options{Kernel: kernel, Network: n, Machine: qemu.MicroVM}
		if err := decideNetwork(o, &notes); err != nil {
			t.Fatal(err)
		}
		if string(o.Network.Backend) != want.backend || want.note == "" && notes.Len() > 0 || !strings.Contains(notes.String(), want.note) || strings.Count(notes.String(), "\n") > 1 {
			t.Errorf("%q: %q, told %q", args, o.Network.Backend, &notes)
		}
	}
}
