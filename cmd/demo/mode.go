package main

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// parseMode reads a mode as chmod(1) has it, and returns what it makes of
// another. All of setuid, setgid and sticky are kept by changes of other bits.
func parseMode(text string) (change func(fs.FileMode) fs.FileMode, err error) {
	if n, err := strconv.ParseUint(text, 8, 12); err == nil {
		return func(fs.FileMode) fs.FileMode { return toFileMode(uint32(n)) }, nil
	}
	var steps []func(m uint32, dir bool) uint32
	for clause := range strings.SplitSeq(text, ",") {
		step, err := parseClause(clause)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return func(m fs.FileMode) fs.FileMode {
		bits := fromFileMode(m)
		for _, step := range steps {
			bits = step(bits, m.IsDir())
		}
		return toFileMode(bits)
	}, nil
}

// parseClause reads who may what: u+x, go-w, a=rX.
func parseClause(clause string) (func(m uint32, dir bool) uint32, error) {
	i := strings.IndexAny(clause, "+-=")
	if i < 0 || strings.Trim(clause[:i], "ugoa") != "" || strings.Trim(clause[i+1:], "rwxXst") != "" {
		return nil, fmt.Errorf("%q is no mode: 644, u+x, go-w, a=r", clause)
	}
	who := uint32(0) // the bits that it is about
	for _, c := range clause[:i] {
		who |= map[rune]uint32{'u': 0o4700, 'g': 0o2070, 'o': 0o1007, 'a': 0o7777}[c]
	}
	if who == 0 {
		who = 0o7777
	}
	operator, what := clause[i], clause[i+1:]
	return func(m uint32, dir bool) uint32 {
		bits := uint32(0)
		for _, c := range what {
			bits |= map[rune]uint32{'r': 0o444, 'w': 0o222, 'x': 0o111, 's': 0o6000, 't': 0o1000}[c]
			if c == 'X' && (dir || m&0o111 != 0) {
				bits |= 0o111
			}
		}
		bits &= who
		switch operator {
		case '+':
			return m | bits
		case '-':
			return m &^ bits
		}
		return m&^(who&0o777) | bits
	}, nil
}

// The bits of chmod(2) and those of package os.
var specialBits = []struct {
	bit  uint32
	mode fs.FileMode
}{{0o4000, fs.ModeSetuid}, {0o2000, fs.ModeSetgid}, {0o1000, fs.ModeSticky}}

func toFileMode(bits uint32) fs.FileMode {
	m := fs.FileMode(bits & 0o777)
	for _, s := range specialBits {
		if bits&s.bit != 0 {
			m |= s.mode
		}
	}
	return m
}

func fromFileMode(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	for _, s := range specialBits {
		if m&s.mode != 0 {
			bits |= s.bit
		}
	}
	return bits
}
