package options

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/pflag"
)

// Env are the options that make the guest's environment.
type Env struct {
	files []string
	vars  []string
}

// Add defines the options in set.
func (f *Env) Add(set *pflag.FlagSet) {
	set.StringArrayVar(&f.vars, "env", nil, "environment variable, K=V, or K for the host's value; the last one of a name counts (repeatable)")
	set.StringArrayVar(&f.files, "env-file", nil, "file with a K=V or K on each line, and comments that begin with # (repeatable)")
}

// Environment changes base by the options: those of files come first. The last
// setting of a name counts; a name that the host does not have is not set.
func (f *Env) Environment(base []string) ([]string, error) {
	env := environ(slices.Clone(base))
	for _, name := range f.files {
		if err := env.addFile(name); err != nil {
			return nil, err
		}
	}
	for _, v := range f.vars {
		name, _, given := strings.Cut(v, "=")
		if name == "" {
			return nil, fmt.Errorf("--env %q: want NAME=VALUE, or NAME for the host's value", v)
		}
		if strings.ContainsRune(v, 0) {
			return nil, fmt.Errorf("--env %q: a NUL byte cannot be passed on", v)
		}
		if !given {
			env.unset(name)
		}
		env.add(v)
	}
	return env, nil
}

// ReplacedEnv lists what other environments than from have in its place: NAME=VALUE
// as from has it, or NAME where it has none. PWD is not among them: it is the go
// command's own. The last setting of a name counts.
func ReplacedEnv(from, to []string) []string {
	old, now := values(from), values(to)
	var list []string
	for _, name := range slices.Sorted(maps.Keys(now)) {
		value, had := old[name]
		switch {
		case name == "PWD" || had && value == now[name]:
		case had:
			list = append(list, name+"="+value)
		default:
			list = append(list, name)
		}
	}
	return list
}

// values maps the names of an environment to their values.
func values(env []string) map[string]string {
	m := map[string]string{}
	for _, v := range env {
		if name, value, ok := strings.Cut(v, "="); ok {
			m[name] = value
		}
	}
	return m
}

// environ is a list of KEY=VALUE in which each name occurs once.
type environ []string

// add adds NAME=VALUE, or NAME with the host's value if it has one.
func (e *environ) add(v string) {
	name, _, given := strings.Cut(v, "=")
	if !given {
		value, ok := os.LookupEnv(name)
		if !ok {
			return
		}
		v = name + "=" + value
	}
	e.unset(name)
	*e = append(*e, v)
}

func (e *environ) unset(name string) {
	*e = slices.DeleteFunc(*e, func(v string) bool { return strings.HasPrefix(v, name+"=") })
}

// addFile adds the lines of a file in the format of docker run --env-file: a
// value is all that follows the =, quotes and spaces with it.
func (e *environ) addFile(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("--env-file: %w", err)
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		line = strings.TrimLeftFunc(line, unicode.IsSpace)
		if line == "" || line[0] == '#' {
			continue
		}
		key, _, _ := strings.Cut(line, "=")
		switch {
		case key == "":
			return fmt.Errorf("--env-file %s, line %d: %q: no name before the =", name, n, line)
		case strings.ContainsFunc(key, unicode.IsSpace):
			return fmt.Errorf("--env-file %s, line %d: %q: a name has no spaces in it", name, n, key)
		case strings.ContainsRune(line, 0) || !utf8.ValidString(line):
			return fmt.Errorf("--env-file %s, line %d: %q: not a text", name, n, line)
		}
		e.add(line)
	}
	return nil
}
