package coherence

import (
	"strings"
	"testing"
)

func at(start, end int64, value uint64, by string) access {
	return access{interval{start, end}, value, by}
}

// TestRegister: what the checker lets pass, and what not.
func TestRegister(t *testing.T) {
	zero := at(0, 0, 0, "made")
	for _, c := range []struct {
		name          string
		writes, reads []access
		want          string // in the error
	}{
		{"read after write", []access{zero, at(1, 2, 7, "w")}, []access{at(3, 4, 7, "r")}, ""},
		{"stale", []access{zero, at(1, 2, 7, "w")}, []access{at(3, 4, 0, "r")}, "had been replaced"},
		{"during the write", []access{zero, at(1, 4, 7, "w")}, []access{at(2, 3, 0, "r"), at(2, 3, 7, "r")}, ""},
		{"from nowhere", []access{zero}, []access{at(1, 2, 9, "r")}, "found 0x9"},
		{"from the future", []access{zero, at(3, 4, 9, "w")}, []access{at(1, 2, 9, "r")}, "found 0x9"},
		{"two writes at once, either", []access{zero, at(1, 4, 7, "w"), at(2, 3, 8, "w")}, []access{at(5, 6, 7, "r")}, ""},
		{"two writes at once, first one then the other", []access{zero, at(1, 4, 7, "w"), at(2, 3, 8, "w")},
			[]access{at(5, 6, 7, "r"), at(7, 8, 8, "r")}, "came back"},
		{"new, then old, during the write", []access{at(0, 0, 6, "w"), at(1, 9, 7, "w")},
			[]access{at(2, 3, 7, "r"), at(4, 5, 6, "r")}, "came back"},
		{"zero again", []access{zero, at(1, 2, 7, "w"), at(3, 4, 0, "cut")}, []access{at(5, 6, 0, "r")}, ""},
		{"back after zero", []access{zero, at(1, 2, 7, "w"), at(3, 9, 0, "cut")}, []access{at(4, 5, 0, "r"), at(6, 7, 7, "r")}, "came back"},
		{"zero, then there", []access{zero, at(1, 9, 7, "w")}, []access{at(2, 3, 0, "r"), at(4, 5, 7, "r")}, ""},
		{"zero at the same time", []access{zero, at(1, 2, 7, "w"), at(3, 9, 0, "cut")}, []access{at(4, 6, 0, "r"), at(5, 7, 7, "r")}, ""},
		{"any value", []access{zero, at(1, 2, 7, "w")}, []access{at(3, 4, anyValue, "r")}, ""},
		{"none", []access{zero, at(1, 2, 7, "w"), at(3, 4, 0, "w")}, []access{at(5, 6, anyValue, "r")}, "found"},
	} {
		r := register{"x", c.writes, c.reads}
		if err := r.check(); (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestExtent(t *testing.T) {
	op := func(start, end, size int64) sized { return sized{interval: interval{start, end}, size: size, by: "op"} }
	least := func(s sized) sized { s.least = true; return s }
	most := func(s sized) sized { s.most = true; return s }
	for _, c := range []struct {
		name             string
		grown, cut, seen []sized
		want             string
	}{
		{"grown", []sized{op(1, 2, 10)}, nil, []sized{op(3, 4, 10)}, ""},
		{"too small", []sized{op(1, 2, 10)}, nil, []sized{op(3, 4, 9)}, "10 at least"},
		{"too large", []sized{op(1, 2, 10)}, nil, []sized{op(3, 4, 11)}, "10 at most"},
		{"growing", []sized{op(1, 4, 10)}, nil, []sized{op(2, 3, 0), op(2, 3, 10)}, ""},
		{"came back", []sized{op(1, 9, 10)}, nil, []sized{op(2, 3, 10), op(4, 5, 0)}, "10 at least"},
		{"cut", []sized{op(1, 2, 10)}, []sized{op(3, 4, 5)}, []sized{op(5, 6, 5)}, ""},
		{"not cut", []sized{op(1, 2, 10)}, []sized{op(3, 4, 5)}, []sized{op(5, 6, 10)}, "5 at most"},
		{"being cut", []sized{op(1, 2, 10)}, []sized{op(3, 9, 5)}, []sized{op(5, 6, 10), op(7, 8, 5)}, ""},
		{"cut and written at once", []sized{op(1, 5, 10)}, []sized{op(2, 4, 5)}, []sized{op(6, 7, 5), op(8, 9, 5)}, ""},
		{"cut and written at once, both", []sized{op(1, 5, 10)}, []sized{op(2, 4, 5)}, []sized{op(6, 7, 10), op(8, 9, 5)}, "10 at least"},
		{"lengthened", nil, []sized{op(1, 2, 5), op(3, 4, 8)}, []sized{op(5, 6, 8)}, ""},
		{"least", []sized{op(1, 2, 10)}, nil, []sized{least(op(3, 4, 7)), least(op(3, 4, 10))}, ""},
		{"least, too much", []sized{op(1, 2, 10)}, nil, []sized{least(op(3, 4, 12))}, "at most"},
		{"most", []sized{op(1, 2, 10)}, nil, []sized{most(op(3, 4, 12))}, ""},
		{"most, too little", []sized{op(1, 2, 10)}, nil, []sized{most(op(3, 4, 9))}, "10 at least"},
	} {
		x := extent{"x", c.grown, c.cut, c.seen}
		if err := x.check(); (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
