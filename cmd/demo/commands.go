package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// command is a command of the shell.
type command struct {
	name, args string
	about      string
	run        func(s *shell, args []string) error
}

// usageError says what is wrong with the arguments of a command.
type usageError string

func (e usageError) Error() string { return string(e) }

var commands []command

func init() { // help reads the table
	commands = []command{
		{"ls", "[-l] [-a] [PATH...]", "list directories", ls},
		{"tree", "[-a] [-L DEPTH] [PATH...]", "list directories and all that is in them", tree},
		{"stat", "PATH...", "show all that is known about files", stat},
		{"cd", "[DIR]", "go to a directory, or to /", cd},
		{"pwd", "", "print the working directory", pwd},
		{"cat", "[FILE...]", "print files", cat},
		{"head", "[-n LINES] [FILE...]", "print the first lines", head},
		{"wc", "[FILE...]", "count lines, words and bytes", wc},
		{"hexdump", "[-n BYTES] [FILE...]", "print bytes", hexdump},
		{"sum", "[-c] [FILE...]", "print SHA-256 checksums, or check those in a file", sum},

		{"write", "FILE [WORD...]", "make a file of a line of text", write},
		{"touch", "FILE...", "make empty files, or set their time to now", touch},
		{"mkdir", "[-p] DIR...", "make directories", mkdir},
		{"cp", "[-r] FROM... TO", "copy files", cp},
		{"mv", "FROM... TO", "rename or move files", mv},
		{"ln", "[-s] TARGET NAME", "make a link, or a symbolic link", ln},
		{"rm", "[-r] [-f] PATH...", "remove files", rm},

		{"mount", "", "list what is mounted", mount},
		{"df", "[-a]", "show the room on file systems", df},
		{"lspci", "", "list the functions of the PCI buses", lspci},
		{"dmesg", "", "print the kernel's messages", dmesg},
		{"free", "", "show memory", free},
		{"uptime", "", "show how long the machine has been up", uptime},
		{"goroutines", "", "list the goroutines", goroutines},

		{"date", "", "print the time", date},
		{"env", "", "print the environment", env},
		{"echo", "[-n] [WORD...]", "print words", echo},
		{"time", "COMMAND...", "run a command and print how long it took", timeCommand},
		{"source", "[FILE...]", "run the commands in files", source},
		{"tour", "", "run the guided tour", runTour},
		{"help", "[COMMAND]", "list the commands", help},
		{"exit", "[STATUS]", "end; in the guest, power off", exit},
	}
}

func findCommand(name string) *command {
	for i := range commands {
		if commands[i].name == name {
			return &commands[i]
		}
	}
	return nil
}

func help(s *shell, args []string) error {
	if len(args) > 0 {
		c := findCommand(args[0])
		if c == nil {
			return fmt.Errorf("%s: no such command", args[0])
		}
		s.printf("%s\n    %s\n", strings.TrimSpace(c.name+" "+c.args), c.about)
		return nil
	}
	var rows [][]string
	for _, c := range commands {
		rows = append(rows, []string{strings.TrimSpace(c.name + " " + c.args), c.about})
	}
	s.table(rows, "")
	s.printf("\n'a b', \"a b\" and a\\ b are one word, *.txt are the files that match.\n" +
		"A | B, A > FILE, A >> FILE, A < FILE and A; B work as in other shells.\n" +
		"More to read with cat: /proc/cpuinfo, /proc/interrupts, /proc/yolk/fuse, /proc/yolk/virtio.\n")
	return nil
}

func exit(_ *shell, args []string) error {
	if len(args) == 0 {
		return exitError(0)
	}
	n, err := strconv.ParseUint(args[0], 10, 8)
	if err != nil || len(args) > 1 {
		return usageError("the status is one number up to 255")
	}
	return exitError(n)
}

func echo(s *shell, args []string) error {
	end := "\n"
	if len(args) > 0 && args[0] == "-n" {
		end, args = "", args[1:]
	}
	s.printf("%s%s", strings.Join(args, " "), end)
	return nil
}

func env(s *shell, _ []string) error {
	for _, e := range os.Environ() {
		s.printf("%s\n", e)
	}
	return nil
}

func date(s *shell, _ []string) error {
	s.printf("%s\n", time.Now().Format("Mon 2006-01-02 15:04:05.000 MST"))
	return nil
}

func timeCommand(s *shell, args []string) error {
	if len(args) == 0 {
		return usageError("no command")
	}
	start := time.Now()
	err := s.command(args)
	fmt.Fprintf(s.errs, "%v\n", time.Since(start).Round(time.Microsecond))
	return err
}

func source(s *shell, args []string) error {
	return s.inputs(args, func(in input) error {
		c := *s
		c.in = strings.NewReader("")
		return c.script(in)
	})
}

// goroutines prints the state of each goroutine and the function it is in.
func goroutines(s *shell, _ []string) error {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	for _, g := range strings.Split(strings.TrimSpace(string(buf)), "\n\n") {
		lines := strings.Split(g, "\n")
		function := ""
		if len(lines) > 1 {
			function = lines[1]
		}
		if i := strings.LastIndexByte(function, '('); i > 0 {
			function = function[:i]
		}
		s.printf("%-40s %s\n", strings.TrimSuffix(lines[0], ":"), function)
	}
	return nil
}
