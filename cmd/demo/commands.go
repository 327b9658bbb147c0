package main

import (
	"errors"
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/interp"
)

// command is a command of the shell.
type command struct {
	name, args string
	about      string
	run        func(p *process, args []string) error
}

// usageError says what is wrong with the arguments of a command.
type usageError string

func (e usageError) Error() string { return string(e) }

func (c *command) usage() string { return strings.TrimSpace(c.name + " " + c.args) }

// help prints what help says of the command.
func (c *command) help(p *process) { p.printf("%s\n    %s\n", c.usage(), c.about) }

// errHelp is the error of a command that is asked what it does.
var errHelp = errors.New("help is wanted")

// errFalse is the error of a command that has answered no, and said so.
var errFalse = interp.ExitStatus(1)

// group is commands of one kind, for help.
type group struct {
	title    string
	commands []command
}

var groups []group

var commands []command

func init() { // help reads the tables
	groups = []group{
		{"Files", []command{
			{"ls", "[-lahtrRSd1] [PATH...]", "list directories", ls},
			{"tree", "[-a] [-L DEPTH] [PATH...]", "list directories and all that is in them", tree},
			{"stat", "PATH...", "show all that is known about files", stat},
			{"find", "[PATH...] [-name PATTERN] [-iname PATTERN] [-type f|d|l] [-empty] [-size [+-]N[ckMG]] [-newer FILE] [-maxdepth N]", "find files", find},
			{"du", "[-s] [-h] [-a] [PATH...]", "show the room that directories take", du},
			{"touch", "FILE...", "make empty files, or set their time to now", touch},
			{"mkdir", "[-p] DIR...", "make directories", mkdir},
			{"cp", "[-r] FROM... TO", "copy files", cp},
			{"mv", "FROM... TO", "rename or move files", mv},
			{"ln", "[-s] TARGET NAME", "make a link, or a symbolic link", ln},
			{"rm", "[-r] [-f] PATH...", "remove files", rm},
			{"rmdir", "DIR...", "remove empty directories", rmdir},
			{"chmod", "[-R] MODE FILE...", "change modes: 644, u+x, go-w, a=r", chmod},
		}},
		{"Text", []command{
			{"cat", "[-n] [FILE...]", "print files", cat},
			{"head", "[-n LINES] [-c BYTES] [FILE...]", "print the first lines", head},
			{"tail", "[-n [+]LINES] [-c BYTES] [-f] [FILE...]", "print the last lines, or those from +LINES on, and with -f those that come", tail},
			{"grep", "[-invwlchrEFqo] PATTERN [FILE...]", "print the lines that match a regular expression of Go", grep},
			{"sort", "[-rnu] [FILE...]", "sort lines", sortLines},
			{"uniq", "[-c] [FILE]", "leave out lines that are like the one before", uniq},
			{"wc", "[-lwc] [FILE...]", "count lines, words and bytes", wc},
			{"less", "[FILE...]", "show files page by page", less},
			{"edit", "FILE", "edit a file of text", edit},
			{"tee", "[-a] [FILE...]", "write the input to files and to the output", tee},
			{"hexdump", "[-n BYTES] [-s SKIP] [FILE...]", "print bytes", hexdump},
			{"sum", "[-c] [FILE...]", "print SHA-256 checksums, or check those in a file", sum},
		}},
		{"Machine", []command{
			{"top", "[-d SECONDS] [-n ROUNDS]", "show what the machine and its goroutines do", top},
			{"ps", "[-a]", "list the goroutines", ps},
			{"mount", "", "list what is mounted", mount},
			{"df", "[-ah]", "show the room on file systems", df},
			{"lspci", "", "list the functions of the PCI buses", lspci},
			{"trace", "[on | off | [-k KINDS] COMMAND...]", "show what crosses the borders of the kernel", trace},
			{"dmesg", "", "print the kernel's messages", dmesg},
			{"free", "[-h]", "show memory", free},
			{"uptime", "", "show how long the machine has been up", uptime},
			{"date", "", "print the time", date},
			{"uname", "[-asnrvm]", "print what the kernel is called", uname},
			{"env", "", "print the environment", env},
			{"tour", "", "run the guided tour", runTour},
		}},
		{"Network", []command{
			{"curl", "[-iILsf] [-o FILE] [-X METHOD] [-H HEADER] [-d DATA] URL", "ask a server by HTTP or HTTPS", curl},
			{"ping", "[-c COUNT] [-i SECONDS] [-w SECONDS] [-r] HOST", "ask a host whether it is there, by ICMP", ping},
		}},
		{"Shell", []command{
			{"sh", "-c COMMAND [NAME [ARG...]] | FILE [ARG...]", "run a script in a shell of its own", runShell},
			{"bench", "[-C DIR] | [-n TIMES] COMMAND...", "measure this machine, or a command", bench},
			{"watch", "[-n SECONDS] COMMAND...", "run a command again and again", watch},
			{"sleep", "SECONDS", "wait", sleep},
			{"seq", "[FIRST] LAST", "print numbers", seq},
			{"yes", "[WORD...]", "print a line without end", yes},
			{"clear", "", "clear the screen", clearScreen},
			{"history", "", "list the lines that were typed", history},
			{"help", "[COMMAND]", "list the commands", help},
		}},
	}
	for _, g := range groups {
		commands = append(commands, g.commands...)
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

func help(p *process, args []string) error {
	if len(args) > 0 {
		if c := findCommand(args[0]); c != nil {
			c.help(p)
			return nil
		}
		if !interp.IsBuiltin(args[0]) {
			return fmt.Errorf("%s: no such command", args[0])
		}
		return interp.HandlerCtx(p.ctx).Builtin(p.ctx, []string{"help", args[0]})
	}
	for _, g := range groups {
		p.printf("%s\n", p.paint("1", g.title))
		var rows [][]string
		for _, c := range g.commands {
			usage := c.usage()
			if len(usage) > 40 {
				usage = c.name + " ..."
			}
			rows = append(rows, []string{"  " + usage, c.about})
		}
		p.table(rows, "")
	}
	p.printf("\nThe shell itself has %s.\n", strings.Join(builtins, " "))
	p.printf("Its language is that of bash: pipes, redirections, $variables, *.txt, &&, if, for, functions, <<END.\n" +
		"help COMMAND says more. To read with less: /proc/cpuinfo, /proc/interrupts, /proc/yolk/fuse, /proc/yolk/virtio.\n")
	return nil
}

func history(p *process, _ []string) error {
	if p.sh.history == nil {
		return errors.New("nothing was typed")
	}
	return p.sh.history(p.out)
}
