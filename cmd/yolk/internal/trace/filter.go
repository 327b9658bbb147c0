package trace

import (
	"fmt"
	"path"
	"strings"

	"github.com/yolkos/yolk/kernel/trace/wire"
)

// Filter says which events are written.
type Filter struct {
	Kinds wire.Set
	Paths []string // patterns; none: whatever the path
}

// ParseFilter reads a list of kinds and of path=PATTERN, separated by commas. Without a
// kind there are all of them.
func ParseFilter(text string) (f Filter, err error) {
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		if pattern, ok := strings.CutPrefix(word, "path="); ok {
			if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
				return f, fmt.Errorf("path=%s: want a path, or a pattern with * and ?", pattern)
			}
			f.Paths = append(f.Paths, pattern)
			continue
		}
		if word == "" {
			continue
		}
		s, err := wire.ParseSet(word)
		if err != nil {
			return f, fmt.Errorf("%w, and path=PATTERN", err)
		}
		f.Kinds |= s
	}
	if f.Kinds == 0 {
		f.Kinds = wire.All
	}
	return f, nil
}

// Needed are the kinds that a guest has to trace for the filter: a path is known from calls and
// from what the file server has said.
func (f Filter) Needed() wire.Set {
	if len(f.Paths) > 0 {
		return f.Kinds | 1<<wire.Call | 1<<wire.Fuse
	}
	return f.Kinds
}

// matches reports whether a path is one of the patterns, or below one.
func (f Filter) matches(name string) bool {
	if len(f.Paths) == 0 {
		return true
	}
	if name == "" {
		return false
	}
	for _, p := range f.Paths {
		for at := name; ; at = path.Dir(at) {
			if ok, _ := path.Match(p, at); ok {
				return true
			}
			if at == "/" || at == "." {
				break
			}
		}
	}
	return false
}
