package main

import (
	"bufio"
	"bytes"
	"embed"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

//go:embed programs/*.txt suites.txt reasons.txt
var data embed.FS

// list is what there is to run.
type list struct {
	programs []*program
	suites   []*suite
	reasons  []*reason
}

// item is a program or a suite.
type item interface {
	title() string
	source() string // all that decides what it does
}

func (l *list) items() (all []item) {
	for _, p := range l.programs {
		all = append(all, p)
	}
	for _, s := range l.suites {
		all = append(all, s)
	}
	return all
}

func readList() (*list, error) {
	l := &list{}
	files, err := data.ReadDir("programs")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		text, err := data.ReadFile(path.Join("programs", f.Name()))
		if err != nil {
			return nil, err
		}
		p, err := parseProgram(strings.TrimSuffix(f.Name(), ".txt"), text)
		if err != nil {
			return nil, fmt.Errorf("programs/%s: %w", f.Name(), err)
		}
		l.programs = append(l.programs, p)
	}
	err = lines("suites.txt", func(line string) error {
		s, err := parseSuite(line)
		l.suites = append(l.suites, s)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = lines("reasons.txt", func(line string) error {
		r, err := parseReason(line)
		l.reasons = append(l.reasons, r)
		return err
	})
	return l, err
}

// lines calls f for each line of a file that is neither empty nor a comment.
func lines(name string, f func(line string) error) error {
	text, err := data.ReadFile(name)
	if err != nil {
		return err
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if err := f(line); err != nil {
			return fmt.Errorf("%s, line %d: %w", name, n, err)
		}
	}
	return nil
}

// program is one of programs/, whose files are archives of text, as txtar has
// them: first lines about the program, and then its files, each behind a line
// "-- NAME --". The lines are
//
//	does TEXT          what it is, for the page
//	module PATH@VERSION
//	package PATH       the main package; without it, it is our own, src/main.go
//	env NAME=VALUE
//	memory SIZE        of the guest; 1G
//	limit DURATION     for all runs on one platform
//	run ARG... [<IN] [>OUT]    ends with status 0 on Linux
//	fail ARG... [<IN] [>OUT]   ends with another
//	mask NAME|/REGEXP/ what is not compared in output and texts: see masks
//	volatile GLOB      files of which only the names are compared
//	ignore GLOB        files that are not compared
//
// The files with names in src/ are of our own main package, the others are the
// directory in which the runs take place, one after the other.
type program struct {
	name, text         string
	does               string
	modules            []string
	pkg                string
	files              []file
	env                []string
	memory             string
	limit              time.Duration
	steps              []step
	masks              []*regexp.Regexp
	ignored, volatiles []string
}

type file struct {
	name string
	data []byte
}

// step is one run of a program.
type step struct {
	args          []string
	stdin, stdout string // files, of the directory
	fails         bool
}

func (p *program) title() string  { return p.name }
func (p *program) source() string { return p.text }

// own tells whether the main package is ours, and the module a library.
func (p *program) own() bool { return p.pkg == "." }

// fileLine is the line in front of a file.
var fileLine = regexp.MustCompile(`^-- (\S+) --$`)

func parseProgram(name string, text []byte) (*program, error) {
	p := &program{name: name, text: string(text), pkg: ".", memory: "1G"}
	in := bufio.NewScanner(bytes.NewReader(text))
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		line := in.Text()
		if m := fileLine.FindStringSubmatch(line); m != nil {
			p.files = append(p.files, file{name: m[1]})
			continue
		}
		if n := len(p.files); n > 0 {
			f := &p.files[n-1]
			f.data = append(append(f.data, line...), '\n')
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		if err := p.add(line); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
	}
	hasSource := slices.ContainsFunc(p.files, func(f file) bool { return f.name == "src/main.go" })
	switch {
	case in.Err() != nil:
		return nil, in.Err()
	case p.does == "" || len(p.modules) == 0 || len(p.steps) == 0:
		return nil, errors.New("want lines does, module and run")
	case p.own() != hasSource:
		return nil, errors.New("want a line package, or a file src/main.go")
	}
	return p, nil
}

func (p *program) add(line string) (err error) {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	if rest == "" {
		return errors.New("nothing follows")
	}
	switch word {
	case "does":
		p.does = rest
	case "module":
		if _, version, _ := strings.Cut(rest, "@"); version == "" {
			return errors.New("want PATH@VERSION")
		}
		p.modules = append(p.modules, rest)
	case "package":
		p.pkg = rest
	case "env":
		p.env = append(p.env, rest)
	case "memory":
		p.memory = rest
	case "limit":
		p.limit, err = time.ParseDuration(rest)
	case "run", "fail":
		s := step{fails: word == "fail"}
		err = s.parse(rest)
		p.steps = append(p.steps, s)
	case "mask":
		m, err := maskNamed(rest)
		if err != nil {
			return err
		}
		p.masks = append(p.masks, m...)
	case "volatile":
		_, err = path.Match(rest, "")
		p.volatiles = append(p.volatiles, rest)
	case "ignore":
		_, err = path.Match(rest, "")
		p.ignored = append(p.ignored, rest)
	default:
		return errors.New("no such line")
	}
	return err
}

// parse reads the arguments of a run, as a shell does, but with nothing else
// than quotes and redirections to take out.
func (s *step) parse(text string) error {
	words, err := split(text)
	if err != nil {
		return err
	}
	for _, w := range words {
		switch {
		case w == "-": // no arguments
		case strings.HasPrefix(w, "<") && len(w) > 1:
			s.stdin = w[1:]
		case strings.HasPrefix(w, ">") && len(w) > 1:
			s.stdout = w[1:]
		default:
			s.args = append(s.args, strings.Trim(w, "\x00"))
		}
	}
	return nil
}

// split cuts a line into words. In front of one that was quoted it puts a NUL
// byte, so that it is taken as an argument whatever it looks like.
func split(text string) (words []string, err error) {
	word, quote := "", rune(0)
	inWord := false
	for _, c := range text {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word += string(c)
		case c == '\'' || c == '"':
			if !inWord {
				word = "\x00"
			}
			quote, inWord = c, true
		case c == ' ' || c == '\t':
			if inWord {
				words = append(words, word)
			}
			word, inWord = "", false
		default:
			word, inWord = word+string(c), true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote %c is open at the end", quote)
	}
	if inWord {
		words = append(words, word)
	}
	return words, nil
}

// suite is a line of suites.txt: PATH@VERSION of a module, packages (./...)
// and flags of go test, and settings NAME:VALUE for memory:, limit: and env:, whose
// value is NAME=VALUE of the environment.
type suite struct {
	text     string
	module   string // with version
	packages []string
	flags    []string // of go test
	env      []string
	memory   string
	limit    time.Duration
}

func (s *suite) title() string  { return s.module }
func (s *suite) source() string { return s.text }

func parseSuite(line string) (*suite, error) {
	words, err := split(line)
	if err != nil {
		return nil, err
	}
	s := &suite{text: line, module: words[0], memory: "1G"}
	if _, version, _ := strings.Cut(s.module, "@"); version == "" {
		return nil, fmt.Errorf("%q: want PATH@VERSION", s.module)
	}
	for _, w := range words[1:] {
		w = strings.Trim(w, "\x00")
		name, value, _ := strings.Cut(w, ":")
		switch {
		case name == "memory":
			s.memory = value
		case name == "env":
			if !strings.Contains(value, "=") {
				return nil, fmt.Errorf("%q: want env:NAME=VALUE", w)
			}
			s.env = append(s.env, value)
		case name == "limit":
			if s.limit, err = time.ParseDuration(value); err != nil {
				return nil, err
			}
		case strings.HasPrefix(w, "."):
			s.packages = append(s.packages, w)
		default:
			s.flags = append(s.flags, w)
		}
	}
	if s.packages == nil {
		s.packages = []string{"./..."}
	}
	return s, nil
}

// reason tells why something differs: a line of reasons.txt,
//
//	ITEM WHAT TEXT
//
// ITEM is the name of a program or the path of a suite's module, WHAT what
// differs as the page names it (build, end, 1.stdout, tree; of a suite PACKAGE.TEST
// or PACKAGE.build, without PACKAGE for the module's top directory), with * for
// anything.
type reason struct {
	item, what, text string
	used             bool
}

func parseReason(line string) (*reason, error) {
	f := strings.SplitN(line, " ", 3)
	if len(f) < 3 {
		return nil, fmt.Errorf("%q: want ITEM WHAT TEXT", line)
	}
	return &reason{item: f[0], what: f[1], text: strings.TrimSpace(f[2])}, nil
}

// reason returns the reason for a difference, if there is one.
func (l *list) reason(item, what string) *reason {
	for _, r := range l.reasons {
		if r.item == item && like(r.what, what) {
			return r
		}
	}
	return nil
}

// reasonFor returns the text of the reason for a difference, and notes that it is
// one.
func (l *list) reasonFor(item, what string) string {
	r := l.reason(item, what)
	if r == nil {
		return ""
	}
	r.used = true
	return r.text
}

// like matches a name with a pattern in which * is for anything.
func like(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	last := len(parts) - 1
	name, ok := strings.CutPrefix(name, parts[0])
	if !ok || !strings.HasSuffix(name, parts[last]) {
		return false
	}
	name = name[:len(name)-len(parts[last])]
	for _, p := range parts[1:last] {
		_, rest, ok := strings.Cut(name, p)
		if !ok {
			return false
		}
		name = rest
	}
	return true
}
