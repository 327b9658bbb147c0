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
				l.Remove(name)
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
