package gotest

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// Exception is a test that passes on Linux and not everywhere in the guest,
// its subtests put together with it.
type Exception struct {
	Package, Test string
	Guests        []Lapse // in the order of the guests
}

// Lapse is how an exception shows on one machine type.
type Lapse struct {
	Outcome Outcome
	Subs    int    // how many subtests, where the test itself passes
	Message string // what the test said
}

// Exceptions compares the results of a package on Linux with those of the
// guests.
func Exceptions(name string, linux *Result, guests ...*Result) []Exception {
	if linux == nil {
		return nil
	}
	found := map[string]*Exception{}
	for _, full := range slices.Sorted(maps.Keys(linux.Tests)) {
		if linux.Tests[full].Outcome != Passed {
			continue
		}
		top, _, isSub := strings.Cut(full, "/")
		for i, guest := range guests {
			if guest == nil {
				continue
			}
			t, ran := guest.Tests[full]
			if !ran {
				t.Outcome = NotRun
			}
			if t.Outcome == Passed {
				continue
			}
			e := found[top]
			if e == nil {
				e = &Exception{Package: name, Test: top, Guests: make([]Lapse, len(guests))}
				for j := range guests {
					if guests[j] == nil {
						e.Guests[j].Outcome = Unknown
					}
				}
				found[top] = e
			}
			l := &e.Guests[i]
			if isSub && l.Outcome != Passed && l.Subs == 0 {
				// The test itself tells; its subtests know more at most.
				if l.Message == "" && t.Outcome == l.Outcome {
					l.Message = t.Message
				}
				continue
			}
			if t.Outcome > l.Outcome {
				l.Outcome, l.Message = t.Outcome, t.Message
			}
			if isSub {
				l.Subs++
			}
		}
	}
	var list []Exception
	for _, top := range slices.Sorted(maps.Keys(found)) {
		list = append(list, *found[top])
	}
	return list
}

// Message is what the test said on the first machine type where it said
// anything.
func (e *Exception) Message() string {
	for _, l := range e.Guests {
		if l.Message != "" {
			return l.Message
		}
	}
	return ""
}

func (l Lapse) String() string {
	if l.Subs > 0 {
		return fmt.Sprintf("%d subtests %v", l.Subs, l.Outcome)
	}
	return l.Outcome.String()
}

// Cell makes text fit for a cell of a table in Markdown, which names no directory of the
// machine that it is made on: ~ is the user's home.
func Cell(s string) string {
	const most = 100 // characters
	if home, err := os.UserHomeDir(); err == nil && len(home) > 1 {
		s = strings.ReplaceAll(s, home+"/", "~/")
	}
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "?")
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`).Replace(s)
}
