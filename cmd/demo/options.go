package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// options takes the options out of the arguments, as getopt(3) does: a letter
// of known is an option, with a number if a colon follows it; behind -- there
// are none.
func options(args []string, known string) (set map[byte]int, rest []string, err error) {
	set = make(map[byte]int)
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if len(arg) < 2 || arg[0] != '-' {
			rest = append(rest, arg)
			continue
		}
		if arg == "--" {
			break
		}
		for i := 1; i < len(arg); i++ {
			k := strings.IndexByte(known, arg[i])
			if k < 0 || arg[i] == ':' {
				return nil, nil, usageError("unknown option -" + arg[i:])
			}
			set[arg[i]] = 1
			if k+1 == len(known) || known[k+1] != ':' {
				continue
			}
			value := arg[i+1:]
			if value == "" && len(args) > 0 {
				value, args = args[0], args[1:]
			}
			n, err := strconv.ParseUint(value, 10, 31)
			if err != nil {
				return nil, nil, usageError(fmt.Sprintf("option -%c wants a number", arg[i]))
			}
			set[arg[i]] = int(n)
			break
		}
	}
	return set, append(rest, args...), nil
}

// has tells if an option was given.
func has(set map[byte]int, option byte) bool {
	_, ok := set[option]
	return ok
}

// input is a file that a command reads.
type input struct {
	io.Reader
	name string // empty for the command's input
}

// inputs calls f for each file, or for the command's input if there is none. It
// goes on after an error and returns the last.
func (s *shell) inputs(names []string, f func(input) error) (last error) {
	if len(names) == 0 {
		return f(input{stoppable{s: s, r: s.in}, ""})
	}
	return s.each(names, func(name string) error {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		return f(input{stoppable{s: s, r: file}, name})
	})
}

// each calls f for each name. It reports the errors but for the last, which it
// returns.
func (s *shell) each(names []string, f func(name string) error) (last error) {
	for _, name := range names {
		if err := s.interrupted(); err != nil {
			return err
		}
		if err := f(name); err != nil {
			if last != nil {
				fmt.Fprintln(s.errs, last)
			}
			last = err
		}
	}
	return last
}

// table prints rows in columns. The columns named in right, '0' for the first,
// are set flush right.
func (s *shell) table(rows [][]string, right string) {
	var widths []int
	for _, r := range rows {
		for i, cell := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var line strings.Builder
	for _, r := range rows {
		line.Reset()
		for i, cell := range r {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
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
		s.printf("%s\n", strings.TrimRight(line.String(), " "))
	}
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
