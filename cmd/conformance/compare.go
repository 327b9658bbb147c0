package main

import (
	"maps"
	"slices"
	"strings"
)

// exception is a test that passes on Linux and not everywhere in the guest,
// its subtests put together with it.
type exception struct {
	pkg, test string
	guests    [len(platforms) - 1]lapse
}

// lapse is how an exception shows on one machine type.
type lapse struct {
	outcome outcome
	subs    int    // how many subtests, where the test itself passes
	message string // what the test said
}

// exceptions compares the results of a package on Linux with those of the
// guests.
func exceptions(name string, linux *result, guests ...*result) []exception {
	if linux == nil {
		return nil
	}
	found := map[string]*exception{}
	for _, full := range slices.Sorted(maps.Keys(linux.tests)) {
		if linux.tests[full].outcome != passed {
			continue
		}
		top, _, isSub := strings.Cut(full, "/")
		for i, guest := range guests {
			if guest == nil {
				continue
			}
			t, ran := guest.tests[full]
			if !ran {
				t.outcome = notRun
			}
			if t.outcome == passed {
				continue
			}
			e := found[top]
			if e == nil {
				e = &exception{pkg: name, test: top}
				for j := range guests {
					if guests[j] == nil {
						e.guests[j].outcome = unknown
					}
				}
				found[top] = e
			}
			l := &e.guests[i]
			if isSub && l.outcome != passed && l.subs == 0 {
				// The test itself tells; its subtests know more at most.
				if l.message == "" && t.outcome == l.outcome {
					l.message = t.message
				}
				continue
			}
			if t.outcome > l.outcome {
				l.outcome, l.message = t.outcome, t.message
			}
			if isSub {
				l.subs++
			}
		}
	}
	var list []exception
	for _, top := range slices.Sorted(maps.Keys(found)) {
		list = append(list, *found[top])
	}
	return list
}

// message is what the test said on the first machine type where it said
// anything.
func (e *exception) message() string {
	for _, l := range e.guests {
		if l.message != "" {
			return l.message
		}
	}
	return ""
}
