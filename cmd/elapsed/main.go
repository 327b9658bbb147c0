// Command elapsed shows how long a command's parts take, on a machine that nobody watches:
//
//	elapsed make test TESTFLAGS=-json
//
// Each line that the command prints gets the time since the start before it. What go test
// -json prints of a package comes when the package ends, as go test itself prints it. At the
// end, and when the command is ended from outside, the slowest tests are told, and those that
// were running then. The status is the command's.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: elapsed COMMAND [ARGUMENT]...")
		os.Exit(2)
	}
	status, err := run(os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "elapsed:", err)
		os.Exit(125)
	}
	os.Exit(status)
}

func run(args []string, w io.Writer) (status int, err error) {
	cmd := exec.Command(args[0], args[1:]...)
	r, pipe, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	cmd.Stdout, cmd.Stderr = pipe, pipe
	// The command gets a signal to the group as well, and says itself what it has to; what
	// it leaves behind could hold the pipe open.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	pipe.Close()

	lines, ended := make(chan string), make(chan error, 1)
	go func() {
		scanLines(r, lines)
		close(lines)
	}()
	go func() { ended <- cmd.Wait() }()

	rec := newRecord(w)
	var late <-chan time.Time
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				lines = nil // of a command that closed its output and goes on
				break
			}
			rec.line(time.Since(start), line)
			continue
		case s := <-signals:
			cmd.Process.Signal(s)
			rec.finish(time.Since(start))
			continue
		case err = <-ended:
			// What is in the pipe is read to its end, if there is one.
			ended, late = nil, time.After(2*time.Second)
		case <-late:
			lines = nil
		}
		if ended == nil && lines == nil {
			rec.finish(time.Since(start))
			return exitStatus(cmd.ProcessState), nil
		}
	}
}

// scanLines sends each line, however long, without its end.
func scanLines(r io.Reader, lines chan<- string) {
	buffered := bufio.NewReader(r)
	for {
		line, err := buffered.ReadString('\n')
		if n := len(line); n > 0 && line[n-1] == '\n' {
			line = line[:n-1]
		} else if line == "" && err != nil {
			return
		}
		lines <- line
		if err != nil {
			return
		}
	}
}

// exitStatus is a shell's: 128+n for a command that signal n ended.
func exitStatus(state *os.ProcessState) int {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return state.ExitCode()
}
