package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
)

// searcher is what grep looks for, and how it tells.
type searcher struct {
	*process
	pattern                                     *regexp.Regexp
	invert, numbers, names, count, quiet, parts bool
	named                                       bool // lines are shown with their file
	found                                       bool
}

func grep(p *process, args []string) error {
	s := searcher{process: p}
	f := p.flags()
	ignoreCase, fixed, recursive := f.BoolP("ignore-case", "i", false, ""), f.BoolP("fixed", "F", false, ""), f.BoolP("recursive", "r", false, "")
	words, plain := f.BoolP("word-regexp", "w", false, ""), f.BoolP("no-filename", "h", false, "")
	f.BoolP("extended-regexp", "E", true, "") // as it is anyway
	f.alias("recursive", "R")
	f.BoolVarP(&s.invert, "invert", "v", false, "")
	f.BoolVarP(&s.numbers, "line-number", "n", false, "")
	f.BoolVarP(&s.names, "files-with-matches", "l", false, "")
	f.BoolVarP(&s.count, "count", "c", false, "")
	f.BoolVarP(&s.quiet, "quiet", "q", false, "")
	f.BoolVarP(&s.parts, "only-matching", "o", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() == 0 {
		return usageError("no pattern")
	}
	pattern := f.Arg(0)
	if *fixed {
		pattern = regexp.QuoteMeta(pattern)
	}
	if *words {
		pattern = `\b(?:` + pattern + `)\b`
	}
	if *ignoreCase {
		pattern = "(?i)" + pattern
	}
	var err error
	if s.pattern, err = regexp.Compile(pattern); err != nil {
		return usageError(err.Error())
	}
	names := f.Args()[1:]
	s.named = (len(names) > 1 || *recursive) && !*plain
	if !*recursive {
		err = p.inputs(names, s.search)
	} else {
		if len(names) == 0 {
			names = []string{"."}
		}
		err = p.each(names, s.tree)
	}
	if err == nil && !s.found {
		return errFalse
	}
	return err
}

// tree searches the files below a directory.
func (s *searcher) tree(root string) error {
	return s.walk(root, func(name string, info fs.FileInfo, _ int) error {
		if !info.Mode().IsRegular() {
			return nil
		}
		file, err := os.Open(s.at(name))
		if err != nil {
			s.complain(s.name, err)
			return nil
		}
		defer file.Close()
		return s.search(input{stoppable{p: s.process, r: file}, name, file})
	})
}

func (s *searcher) search(in input) error {
	lines, matches, binary := 0, 0, false
	prefix := ""
	if s.named {
		prefix = s.paint("35", s.shown(in.name)) + ":"
	}
	err := eachLine(in, func(line string) error {
		lines++
		if s.pattern.MatchString(line) == s.invert {
			return nil
		}
		matches++
		s.found = true
		switch {
		case s.quiet || s.names:
			return io.EOF // one is enough
		case s.count:
			return nil
		case strings.Contains(line, "\x00"):
			binary = true
			return io.EOF
		}
		return s.show(prefix, lines, line)
	})
	switch {
	case err == io.EOF:
		err = nil
	case err != nil:
		return err
	}
	switch {
	case s.names && matches > 0:
		_, err = fmt.Fprintln(s.out, s.shown(in.name))
	case s.count && !s.quiet && !s.names:
		_, err = fmt.Fprintf(s.out, "%s%d\n", prefix, matches)
	case binary:
		_, err = fmt.Fprintf(s.out, "%sa file of bytes matches\n", prefix)
	}
	return err
}

func (s *searcher) show(prefix string, number int, line string) error {
	if s.numbers {
		prefix += s.paint("32", fmt.Sprint(number)) + ":"
	}
	var b bytes.Buffer
	end := 0
	for _, at := range s.pattern.FindAllStringIndex(line, -1) {
		match := s.paint("1;31", line[at[0]:at[1]])
		if s.parts {
			if at[0] < at[1] && !s.invert {
				fmt.Fprintf(&b, "%s%s\n", prefix, match)
			}
			continue
		}
		b.WriteString(line[end:at[0]])
		if at[0] < at[1] {
			b.WriteString(match)
		}
		end = at[1]
	}
	if !s.parts {
		text := b.String() + line[end:]
		b.Reset()
		fmt.Fprintf(&b, "%s%s\n", prefix, text)
	}
	_, err := s.out.Write(b.Bytes())
	return err
}
