package dirlist

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestReaders: who reads in pieces, each behind the cookie of the last, finds every
// entry that was there all the time once, whatever others add and remove meanwhile.
func TestReaders(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var l List[*int]
	one := new(int)
	there := map[string]bool{}
	for i := range 100 {
		name := fmt.Sprint("stays", i)
		l.Add(name, one)
		there[name] = true
	}
	cookie, seen := uint64(0), map[string]int{}
	for n := 0; ; n++ {
		piece := l.After(cookie)
		if len(piece) == 0 {
			break
		}
		for _, e := range piece[:min(3, len(piece))] {
			if e.Node != nil {
				seen[e.Name]++
			}
			cookie = e.Cookie
		}
		if n > 200 {
			continue
		}
		for range 5 { // it comes and goes
			name := fmt.Sprint("goes", r.IntN(200))
			if e := l.Get(name); e == nil {
				l.Add(name, one)
			} else {
				l.Remove(e)
			}
		}
	}
	for name := range there {
		if seen[name] != 1 {
			t.Errorf("%s is seen %d times", name, seen[name])
		}
	}
	n := 0
	for _, e := range l.After(0) {
		if e.Node != nil {
			n++
		}
	}
	if n != l.Len() || len(l.order) > 2*n+32 {
		t.Errorf("%d entries, %d by their order, of %d", l.Len(), n, len(l.order))
	}
}

// TestRename: an entry with another name is found by that alone, and who lists sees it
// once.
func TestRename(t *testing.T) {
	var l List[int]
	for i, name := range []string{"a", "b", "c"} {
		l.Add(name, i+1)
	}
	seen := l.After(0)[0].Cookie
	l.Rename(l.Get("a"), "x")
	l.Rename(l.Get("b"), "a")
	var names string
	for _, e := range l.After(seen) {
		names += e.Name
	}
	if names != "ac" || l.Len() != 3 || l.Get("b") != nil || l.Get("x").Node != 1 || l.Get("a").Node != 2 {
		t.Errorf("behind the first there are %q, of %d; b is %v", names, l.Len(), l.Get("b"))
	}
}
