package fstest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/syscalls"
)

// RandomConfig says what Random plays.
type RandomConfig struct {
	Seed  uint64
	Steps int
	// Every is after how many steps the whole trees are compared.
	Every int
	// PlainModes leaves out modes that a server may not keep faithfully: with
	// set-id bits, or not readable by the owner.
	PlainModes bool
	// Skip, if not nil, tells of an operation as it is logged that it is left
	// out.
	Skip func(op string) bool
	// Excuse, if not nil, tells that an operation may be answered by got
	// instead of want.
	Excuse func(op, want, got string) bool
}

// Random plays the same random operations on two systems whose roots are
// empty, and stops the test at the first difference in what they answer or
// contain. The same seed plays the same operations.
func Random(t testing.TB, want, got Sys, c RandomConfig) {
	p := &player{rand.New(rand.NewPCG(c.Seed, 0)), c}
	worlds := [2]*world{newWorld(want), newWorld(got)}
	defer worlds[0].end()
	defer worlds[1].end()
	var log []string
	fail := func(a, b string) {
		t.Helper()
		if len(log) > 40 {
			log = log[len(log)-40:]
		}
		t.Fatalf("seed %d, after\n  %s\nthe answers differ:\n  want %s\n  got  %s", c.Seed, strings.Join(log, "\n  "), a, b)
	}
	for i := range c.Steps {
		o := p.next()
		log = append(log, strconv.Itoa(i)+" "+o.name)
		a, b := o.do(worlds[0]), o.do(worlds[1])
		if a != b && (c.Excuse == nil || !c.Excuse(o.name, a, b)) {
			fail(a, b)
		}
		log[len(log)-1] += " → " + a
		if (i+1)%c.Every == 0 || i+1 == c.Steps {
			if a, b := tree(worlds[0].s), tree(worlds[1].s); a != b {
				a, b = firstDifference(a, b)
				fail(a, b)
			}
		}
	}
}

// ByPath is an Excuse for servers that find files by their paths: of what was
// removed they know only if it is an open file.
func ByPath(op, want, got string) bool {
	return got == syscall.ENOENT.Error() && (strings.HasPrefix(op, "fstat(") || strings.HasPrefix(op, "fchmod("))
}

func firstDifference(a, b string) (string, string) {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return x[i], y[i]
		}
	}
	if len(x) > len(y) {
		return x[len(y)], "nothing"
	}
	return "nothing", y[len(x)]
}

// world is one of the two systems and the descriptors open in it.
type world struct {
	s   Sys
	fds [nfds]int
}

const nfds = 6

func newWorld(s Sys) *world {
	w := &world{s: s}
	for i := range w.fds {
		w.fds[i] = -1
	}
	return w
}

func (w *world) end() {
	for _, fd := range w.fds {
		if fd >= 0 {
			w.s.Close(fd)
		}
	}
}

// op is an operation, to be done on both systems.
type op struct {
	name string
	do   func(w *world) string
}

// player makes operations.
type player struct {
	r *rand.Rand
	c RandomConfig
}

func (p *player) pick(list ...string) string { return list[p.r.IntN(len(list))] }

func (p *player) one(n int) bool { return p.r.IntN(n) == 0 }

// path makes a path of a few short names, so that they often meet. Most ends
// are names that files get, or with dir set, directories.
func (p *player) path() string    { return p.pathTo("a", "b", "c", "l") }
func (p *player) dirPath() string { return p.pathTo("d", "e", "f", "l") }

func (p *player) pathTo(last ...string) string {
	var b strings.Builder
	if p.one(8) {
		b.WriteString("/")
	}
	for i := p.r.IntN(4); ; i-- {
		switch {
		case p.one(12):
			b.WriteString("..")
		case p.one(16):
			b.WriteString(".")
		case p.one(200):
			b.WriteString(strings.Repeat("n", 250+p.r.IntN(8)))
		case i > 0 || p.one(8):
			b.WriteString(p.pick("d", "e", "f", "l"))
		default:
			b.WriteString(p.pick(last...))
		}
		if i <= 0 {
			break
		}
		b.WriteString(p.pick("/", "/", "/", "//"))
	}
	switch {
	case p.one(12):
		b.WriteString("/")
	case p.one(300):
		return ""
	}
	return b.String()
}

// dir chooses where a relative path starts: mostly the working directory.
func (p *player) dir() int {
	if p.one(5) {
		return p.r.IntN(nfds)
	}
	return -1
}

func (w *world) at(dir int) int {
	if dir < 0 {
		return cwd
	}
	return w.fds[dir]
}

// at2 is at for the second of two paths: never a bad descriptor, as systems
// may look at that or at the first path before.
func (w *world) at2(dir int) int {
	if dir < 0 || w.fds[dir] < 0 {
		return cwd
	}
	return w.fds[dir]
}

func (p *player) next() op {
	for {
		o := makers[p.r.IntN(len(makers))](p)
		if o.do != nil && (p.c.Skip == nil || !p.c.Skip(o.name)) {
			return o
		}
	}
}

func result(e syscall.Errno) string {
	if e == 0 {
		return "ok"
	}
	return e.Error()
}

func resultN(n int, e syscall.Errno) string {
	if e != 0 {
		return e.Error()
	}
	return strconv.Itoa(n)
}

// describe is what a stat tells that both systems must agree on.
func describe(st *syscall.Stat_t) string {
	s := fmt.Sprintf("mode %o owner %d:%d", st.Mode, st.Uid, st.Gid)
	if kind := st.Mode & syscall.S_IFMT; kind != syscall.S_IFDIR {
		s += fmt.Sprintf(" size %d nlink %d rdev %#x", st.Size, st.Nlink, st.Rdev)
	}
	return s + " mtime " + moment(st.Mtim)
}

// moment shows times that utimensat has set; the others come from the clock.
func moment(t syscall.Timespec) string {
	if t.Sec > 1e9 {
		return "now"
	}
	return fmt.Sprintf("%d.%09d", t.Sec, t.Nsec)
}

const (
	oPath     = syscalls.O_PATH
	noReplace = 1
	exchange  = 2
)
