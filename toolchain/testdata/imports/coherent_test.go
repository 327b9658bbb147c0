package imports

import "testing"

// TestCoherent: what two choices of a package's files tell of one of them.
func TestCoherent(t *testing.T) {
	const (
		file   = "package p\n\n"
		shared = file + "func F() int { return g() }\n"
		g      = file + "func g() int { return 0 }\n"
	)
	for _, tt := range []struct {
		name          string
		chosen, other map[string]string
		want          bool
	}{
		{"one for each", map[string]string{"a.go": shared, "t.go": g}, map[string]string{"a.go": shared, "l.go": g}, true},
		{"nothing", nil, map[string]string{"a.go": shared}, false},
		{"nothing for either", nil, nil, false},
		{"a function twice", map[string]string{"t.go": g, "u.go": g}, map[string]string{"u.go": g}, false},
		{"a method twice",
			map[string]string{"a.go": file + "type T[X any] struct{}\n", "t.go": file + "func (t *T[X]) M() {}\n", "u.go": file + "func (t T[Y]) M() {}\n"}, nil, false},
		{"methods of two types", map[string]string{"t.go": file + "type T int\nfunc (T) M() {}\n", "u.go": file + "type U int\nfunc (U) M() {}\n"}, nil, true},
		{"init and _ twice", map[string]string{"t.go": file + "func init() {}\nvar _ int\n", "u.go": file + "func init() {}\nvar _ int\n"}, nil, true},
		{"a function of the other choice", map[string]string{"a.go": shared}, map[string]string{"a.go": shared, "l.go": g}, false},
		{"a method of the other choice",
			map[string]string{"a.go": file + "type T int\nfunc F(t T) { t.m() }\n"}, map[string]string{"l.go": file + "func (T) m() {}\n"}, false},
		{"a field of its own", map[string]string{"a.go": file + "type T struct{ m int }\nfunc F(t T) int { return t.m }\n"}, map[string]string{"l.go": file + "type T int\nfunc (T) m() {}\n"}, true},
		{"in neither choice", map[string]string{"a.go": shared}, map[string]string{"a.go": shared}, true},
		{"a local name of the other's", map[string]string{"t.go": file + "func F(g int) int { return g }\n"}, map[string]string{"l.go": g}, true},
		{"a predeclared name", map[string]string{"t.go": file + "var F = min(1, 2)\n"}, map[string]string{"l.go": file + "func min(a, b int) int { return a }\n"}, true},
		{"an import of the other's name", map[string]string{"t.go": file + "import \"example.com/go-log/v2\"\n\nvar F = log.F\n"}, map[string]string{"l.go": file + "var log int\n"}, true},
		{"a file that does not parse", map[string]string{"t.go": g, "u.go": g, "v.go": "package p\n\nfunc {\n"}, nil, true},
	} {
		if got := coherent(tt.chosen, tt.other); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}
