package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func env(p *process, _ []string) error {
	for _, e := range p.exported() {
		p.printf("%s\n", e)
	}
	return nil
}

func clearScreen(p *process, _ []string) error {
	p.printf("\x1b[H\x1b[2J\x1b[3J")
	return nil
}

func uname(p *process, args []string) error {
	f := p.flags()
	all := f.BoolP("all", "a", false, "")
	parts := []struct {
		name, short string
		field       func(u *unix.Utsname) []byte
		wanted      *bool
	}{
		{name: "kernel-name", short: "s", field: func(u *unix.Utsname) []byte { return u.Sysname[:] }},
		{name: "nodename", short: "n", field: func(u *unix.Utsname) []byte { return u.Nodename[:] }},
		{name: "kernel-release", short: "r", field: func(u *unix.Utsname) []byte { return u.Release[:] }},
		{name: "kernel-version", short: "v", field: func(u *unix.Utsname) []byte { return u.Version[:] }},
		{name: "machine", short: "m", field: func(u *unix.Utsname) []byte { return u.Machine[:] }},
	}
	for i := range parts {
		parts[i].wanted = f.BoolP(parts[i].name, parts[i].short, false, "")
	}
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return usageError("no arguments are taken but options")
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return err
	}
	var words []string
	for _, part := range parts {
		if *all || *part.wanted {
			words = append(words, unix.ByteSliceToString(part.field(&u)))
		}
	}
	if len(words) == 0 {
		words = []string{unix.ByteSliceToString(u.Sysname[:])}
	}
	p.printf("%s\n", strings.Join(words, " "))
	return nil
}

func date(p *process, _ []string) error {
	p.printf("%s\n", time.Now().Format("Mon 2006-01-02 15:04:05.000 MST"))
	return nil
}

func sleep(p *process, args []string) error {
	if len(args) != 1 {
		return usageError("one number of seconds")
	}
	d, err := time.ParseDuration(args[0])
	if err != nil {
		d, err = time.ParseDuration(args[0] + "s")
	}
	if err != nil || d < 0 {
		return usageError(strconv.Quote(args[0]) + " is no number of seconds")
	}
	return p.sleep(d)
}

func seq(p *process, args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return usageError("one number, or two")
	}
	first := int64(1)
	last, err := strconv.ParseInt(args[len(args)-1], 10, 64)
	if len(args) == 2 && err == nil {
		first, err = strconv.ParseInt(args[0], 10, 64)
	}
	if err != nil {
		return usageError(err.Error())
	}
	for i := first; i <= last; i++ {
		if _, err := io.WriteString(p.out, strconv.FormatInt(i, 10)+"\n"); err != nil {
			return err
		}
		if i == last {
			break // the last of all numbers has no next
		}
	}
	return nil
}

func yes(p *process, args []string) error {
	line := "y\n"
	if len(args) > 0 {
		line = strings.Join(args, " ") + "\n"
	}
	for {
		if _, err := io.WriteString(p.out, line); err != nil {
			return err
		}
	}
}

func tee(p *process, args []string) (err error) {
	f := p.flags()
	add := f.BoolP("append", "a", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	flag := os.O_TRUNC
	if *add {
		flag = os.O_APPEND
	}
	to := []io.Writer{p.out}
	for _, name := range f.Args() {
		file, err := os.OpenFile(p.at(name), os.O_WRONLY|os.O_CREATE|flag, 0o666)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		to = append(to, file)
	}
	_, err = io.Copy(io.MultiWriter(to...), p.in)
	return err
}

func sortLines(p *process, args []string) error {
	f := p.flags()
	reverse, numbers, unique := f.BoolP("reverse", "r", false, ""), f.BoolP("numeric", "n", false, ""), f.BoolP("unique", "u", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	var lines []string
	err := p.inputs(f.Args(), func(in input) error {
		return eachLine(in, func(line string) error { lines = append(lines, line); return nil })
	})
	if stopped := p.interrupted(); stopped != nil {
		return stopped
	}
	slices.SortStableFunc(lines, func(a, b string) int {
		order := strings.Compare(a, b)
		if *numbers {
			if x, y := leading(a), leading(b); x != y {
				order = 1
				if x < y {
					order = -1
				}
			}
		}
		if *reverse {
			order = -order
		}
		return order
	})
	if *unique {
		lines = slices.Compact(lines)
	}
	for _, line := range lines {
		if _, err := io.WriteString(p.out, line+"\n"); err != nil {
			return err
		}
	}
	return err
}

// leading is the number that a line begins with, or 0.
func leading(line string) float64 {
	line = strings.TrimSpace(line)
	for end := len(line); end > 0; end-- {
		if strings.IndexByte("0123456789.", line[end-1]) >= 0 && strings.Trim(line[:end], "-0123456789.") == "" {
			if n, err := strconv.ParseFloat(line[:end], 64); err == nil {
				return n
			}
		}
	}
	return 0
}

func uniq(p *process, args []string) error {
	f := p.flags()
	counted := f.BoolP("count", "c", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 1 {
		return usageError("one file at most")
	}
	last, n := "", 0
	flush := func() error {
		if n == 0 {
			return nil
		}
		line := last + "\n"
		if *counted {
			line = strconv.Itoa(n) + " " + line
		}
		_, err := io.WriteString(p.out, line)
		return err
	}
	err := p.inputs(f.Args(), func(in input) error {
		return eachLine(in, func(line string) error {
			if n > 0 && line == last {
				n++
				return nil
			}
			err := flush()
			last, n = line, 1
			return err
		})
	})
	return errors.Join(err, flush())
}

// eachLine calls f for each line of a text, without its end.
func eachLine(in io.Reader, f func(line string) error) error {
	r := bufio.NewReader(in)
	for {
		line, err := r.ReadString('\n')
		if line != "" {
			if err := f(strings.TrimSuffix(line, "\n")); err != nil {
				return err
			}
		}
		if err != nil {
			return notEOF(err)
		}
	}
}
