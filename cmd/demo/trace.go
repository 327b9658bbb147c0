package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"mvdan.cc/sh/v3/interp"
)

// trace turns the kernel's trace on or off, prints it, or traces a command. The
// kinds of events are the kernel's; it says which there are.
func trace(p *process, args []string) error {
	f := p.flags()
	kinds := f.StringP("kinds", "k", "", "")
	f.SetInterspersed(false)
	if err := f.Parse(args); err != nil {
		return err
	}
	switch {
	case f.NArg() == 0 && *kinds == "":
		text, err := p.procFile("yolk/trace")
		if err != nil {
			return noTrace(err)
		}
		_, err = p.out.Write(text)
		return err
	case f.NArg() == 0:
		return usageError("-k goes with on or a command")
	case f.NArg() == 1 && f.Arg(0) == "on":
		return p.setTrace(strings.TrimSpace("on " + *kinds))
	case f.NArg() == 1 && f.Arg(0) == "off":
		return p.setTrace("off")
	}
	before, err := p.procFile("yolk/trace")
	if err != nil {
		return noTrace(err)
	}
	state, old := splitTrace(string(before))
	if err := p.setTrace(strings.TrimSpace("on " + *kinds)); err != nil {
		return err
	}
	status := p.shell(strings.NewReader(commandLine(f.Args())), "trace", nil)
	now, err := p.procFile("yolk/trace")
	// As it was: also after Ctrl-C.
	if restore := p.setTrace(state); err == nil {
		err = restore
	}
	if err != nil {
		return err
	}
	_, events := splitTrace(string(now))
	for _, line := range newer(events, old) {
		p.printf("%s\n", line)
	}
	var exit interp.ExitStatus
	if errors.As(status, &exit) {
		return exit
	}
	return status
}

// setTrace tells the kernel what to trace.
func (p *process) setTrace(text string) error {
	f, err := os.OpenFile(p.sh.proc+"/yolk/trace", os.O_WRONLY, 0)
	if err != nil {
		return noTrace(err)
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// noTrace says what to do about a machine that does not trace.
func noTrace(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: a machine traces that was started with yolk run --trace FILE", err)
	}
	return err
}

// splitTrace takes the text of the trace apart: what setTrace would take to have
// it as it is, and the events, which follow the lines of state and loss.
func splitTrace(text string) (state string, events []string) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	state = lines[0]
	if strings.HasPrefix(state, "off") {
		state = "off"
	}
	return state, lines[min(2, len(lines)):]
}

// newer are the events behind the last of the old ones.
func newer(events, old []string) []string {
	if len(old) > 0 {
		for i := len(events) - 1; i >= 0; i-- {
			if events[i] == old[len(old)-1] {
				return events[i+1:]
			}
		}
	}
	return events
}
