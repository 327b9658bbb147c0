// Package dirlist keeps the entries of a directory that is in memory: by their names,
// and, for readers, in the order of their making. Each has a cookie that no other entry
// gets ever after, so that a reader goes on right whatever is removed meanwhile.
package dirlist

import "sort"

// List is the entries of a directory, which lead to nodes of type N. The zero List is
// empty. Its methods are called under a lock of the file system's.
type List[N comparable] struct {
	byName map[string]*Entry[N]
	order  []*Entry[N] // by cookie; with the removed ones until they are half of it
	last   uint64      // cookie
}

// Entry is a name in a directory. Node may be set to another one.
type Entry[N comparable] struct {
	Name   string
	Node   N      // the zero N when removed
	Cookie uint64 // from 1 on
}

// Len is how many entries there are.
func (l *List[N]) Len() int { return len(l.byName) }

// Get returns the entry of a name, nil: there is none.
func (l *List[N]) Get(name string) *Entry[N] { return l.byName[name] }

// Add adds an entry, whose name has none.
func (l *List[N]) Add(name string, n N) {
	if l.byName == nil {
		l.byName = make(map[string]*Entry[N])
	}
	l.last++
	e := &Entry[N]{name, n, l.last}
	l.byName[name] = e
	l.order = append(l.order, e)
}

// Remove takes an entry away.
func (l *List[N]) Remove(e *Entry[N]) {
	delete(l.byName, e.Name)
	var none N
	e.Node = none
	if len(l.order) < 32 || len(l.byName) > len(l.order)/2 {
		return
	}
	kept := make([]*Entry[N], 0, len(l.byName)+16)
	for _, e := range l.order {
		if e.Node != none {
			kept = append(kept, e)
		}
	}
	l.order = kept
}

// Rename gives an entry another name, which has none: readers that have seen it do not
// see it again.
func (l *List[N]) Rename(e *Entry[N], name string) {
	delete(l.byName, e.Name)
	e.Name = name
	l.byName[name] = e
}

// After returns the entries behind a cookie (0: all), removed ones among them.
func (l *List[N]) After(cookie uint64) []*Entry[N] {
	i := sort.Search(len(l.order), func(i int) bool { return l.order[i].Cookie > cookie })
	return l.order[i:]
}
