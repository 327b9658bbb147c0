package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"
)

// flags makes a set of options, as getopt(3) knows them. Its Parse ends in a
// usageError, or in errHelp for --help, and for -h where a command has no such option.
func (p *process) flags() *flagSet {
	f := pflag.NewFlagSet(p.name, pflag.ContinueOnError)
	f.SetOutput(p.errs)
	f.Usage = func() {}
	return &flagSet{f}
}

type flagSet struct{ *pflag.FlagSet }

func (f *flagSet) Parse(args []string) error {
	switch err := f.FlagSet.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		return errHelp
	case err != nil:
		return usageError(err.Error())
	}
	return nil
}

// alias has a second letter for an option that has one.
func (f *flagSet) alias(name, letter string) {
	f.AddFlag(&pflag.Flag{Name: name + " by " + letter, Shorthand: letter, Value: f.Lookup(name).Value, NoOptDefVal: f.Lookup(name).NoOptDefVal})
}

// table prints rows in columns. The columns named in right, '0' for the first,
// are set flush right.
func (p *process) table(rows [][]string, right string) {
	var widths []int
	for _, r := range rows {
		for i, cell := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns(cell))
		}
	}
	var line strings.Builder
	for _, r := range rows {
		line.Reset()
		for i, cell := range r {
			pad := strings.Repeat(" ", widths[i]-columns(cell))
			if strings.IndexByte(right, byte('0'+i)) >= 0 {
				cell = pad + cell
			} else if i < len(r)-1 {
				cell += pad
			}
			if i > 0 {
				line.WriteString("  ")
			}
			line.WriteString(cell)
		}
		p.printf("%s\n", strings.TrimRight(line.String(), " "))
	}
}

// columns is the room that a cell takes on a terminal: its characters without
// the colours.
func columns(cell string) int {
	n := 0
	for {
		before, rest, found := strings.Cut(cell, "\x1b[")
		n += utf8.RuneCountInString(before)
		if !found {
			return n
		}
		_, cell, _ = strings.Cut(rest, "m")
	}
}

// paint gives a text a colour, of those of SGR (ECMA-48, 8.3.117), where the
// output shows it.
func (p *process) paint(color, text string) string {
	if !p.color || color == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// size writes a number of bytes for people.
func size(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	i, div := 0, uint64(1)
	for i < len(units)-1 && n/div >= 1024 {
		i, div = i+1, div*1024
	}
	if i == 0 || n/div >= 100 {
		return fmt.Sprintf("%d %s", n/div, units[i])
	}
	return fmt.Sprintf("%.1f %s", float64(n)/float64(div), units[i])
}
