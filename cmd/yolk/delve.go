package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/yolkos/yolk/qemu"
)

// lldbServer is the name of the program that Delve starts to be served gdb's protocol, on a
// port of its choice: "lldb-server gdbserver --attach PID [HOST]:PORT".
const lldbServer = "lldb-server"

// debuggerCommand is the hidden command that stands for it.
const debuggerCommand = "serve-debugger"

// delveCommand prepares Delve, at path, for a machine at address, a socket. What it
// attaches to has the number of this process, for Delve to name.
func delveCommand(path, dir, file, address string, args []string) (*exec.Cmd, error) {
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		return nil, err
	}
	self := fmt.Sprintf("/proc/%d/exe", os.Getpid())
	script := "#!/bin/sh\nexec " + qemu.CommandLine(self, []string{debuggerCommand, address}) + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, lldbServer), []byte(script), 0o700); err != nil {
		return nil, err
	}
	cmd := exec.Command(path, append([]string{"attach", "--backend=lldb", fmt.Sprint(os.Getpid()), file}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	return cmd, nil
}

func serveDebuggerCmd() *cobra.Command {
	return &cobra.Command{
		Use:    debuggerCommand + " SOCKET gdbserver --attach PID ADDRESS",
		Hidden: true,
		Args:   cobra.MinimumNArgs(2),
		// The options are those of lldb-server.
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			signal.Reset() // as for the server of a directory
			return relayDebugger(args[0], args[len(args)-1])
		},
	}
}

// relayDebugger serves one connection to address by the socket of a machine.
func relayDebugger(socket, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if host == "" {
		host = "127.0.0.1" // nobody else is to connect
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return err
	}
	debugger, err := l.Accept()
	l.Close()
	if err != nil {
		return err
	}
	machine, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	ended := make(chan struct{}, 2)
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // either side may end it
		ended <- struct{}{}
	}
	go pass(machine, debugger)
	go pass(debugger, machine)
	<-ended
	return nil
}
