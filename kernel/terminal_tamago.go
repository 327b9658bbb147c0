//go:build tamago

package kernel

import (
	"syscall"

	"github.com/yolkos/yolk/fs/tty"
	"github.com/yolkos/yolk/kernel/control"
	"github.com/yolkos/yolk/syscalls"
)

// ttyPort is the name of the terminal's port.
const ttyPort = "yolk.tty"

// job is the program as its terminals know it.
type job struct{ m *machine }

// pid is the number of the program, which leads its group and its session.
const pid = 1

// Ids implements tty.Process.
func (job) Ids() (pgrp, session int) { return pid, pid }

// Signal implements tty.Process.
func (j job) Signal(sig syscall.Signal) {
	j.m.calls.Deliver(syscalls.Siginfo{Signo: sig, Code: syscalls.SI_KERNEL})
}

// connectTerminal makes the terminal of the launcher's port, if there is one.
func (m *machine) connectTerminal() {
	s := &m.streams
	s.ttys = tty.NewTerminals(job{m})
	size, settings, ok := m.flags.terminal()
	if !ok || s.virtio == nil {
		return
	}
	p, ok := s.virtio.Port(ttyPort)
	if !ok {
		return
	}
	t := s.ttys.AddConsole(m.outStream(p, "tty"))
	t.Configure(size, settings)
	if m.flags["tty.cooked"] != "" {
		t.Cooked()
	}
	if s.link != nil {
		t.Taken(func() { s.link.tell(control.InterruptTaken) })
		s.link.resized = t.SetSize
	}
	s.terminal = t
}

// onTerminal reports whether a standard stream is the terminal.
func (m *machine) onTerminal(name string) bool {
	return m.streams.terminal != nil && m.flags["file."+name] == ttyKind
}

// addStreams adds terminals and the console to /dev.
func (m *machine) addStreams() {
	s, d := &m.streams, m.dev
	d.AddDevice("tty", 0o666, tty.Major, tty.MinorTTY, s.ttys.OpenControlling)
	d.AddDevice("ptmx", 0o666, tty.Major, tty.MinorPTMX, s.ttys.OpenMaster)
	d.AddDevices("pts", 0o620, s.ttys.PTYs, tty.SlaveDev, s.ttys.OpenSlave)
	if s.terminal != nil {
		d.AddDevice("console", 0o600, tty.Major, tty.MinorConsole, s.terminal.Open)
	} else {
		d.AddStream("console", s.console)
	}
}

// startTerminal has what is typed reach the program, once that can get signals.
func (m *machine) startTerminal() {
	if t := m.streams.terminal; t != nil {
		p, _ := m.streams.virtio.Port(ttyPort)
		go t.Input(portStream{p})
	}
}
