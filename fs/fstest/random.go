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
	// Enter, if not nil, is called on the goroutine that plays on want.
	Enter func() error
	// PlainModes leaves out modes that a server may not keep faithfully: with
	// set-id bits, or not readable by the owner.
	PlainModes bool
	// Skip, if not nil, tells of an operation as it is logged that it is left
	// out.
	Skip func(op string) bool
	// ByPath is for servers that find files by their paths: of what was
	// removed they know only if it is an open file.
	ByPath bool
}

// Random plays the same random operations on two systems whose roots are empty
// or have the same in them (Grow), and stops the test at the first difference in what they answer or
// contain. After each operation it compares what it had to do with: names,
// attributes and contents of the files and their directories; after every
// c.Every operations all that there is. The same seed plays the same operations.
func Random(t testing.TB, want, got Sys, c RandomConfig) {
	p := &player{r: rand.New(rand.NewPCG(c.Seed, 0)), c: c}
	a, b := start(newWorld(want), c.Enter), start(newWorld(got), nil)
	defer a.end()
	defer b.end()
	if e := <-a.entered; e != nil {
		t.Fatal(e)
	}
	var log []string // what was played
	compare := func(do func(w *world) []answer) []answer {
		t.Helper()
		a.in <- do
		b.in <- do
		x, y := <-a.out, <-b.out
		for i := range max(len(x), len(y)) {
			want, got := at(x, i), at(y, i)
			if want != got && !(c.ByPath && lost(want, got)) {
				t.Fatalf("seed %d, after\n  %s\nthe answers differ:\n  want %v\n  got  %v", c.Seed,
					strings.Join(log[max(0, len(log)-logged):], "\n  "), want, got)
			}
		}
		return x
	}
	do := func(s step) {
		t.Helper()
		log = append(log, fmt.Sprint(len(log), " ", s.name))
		x := compare(s.play)
		log[len(log)-1] += " → " + x[0].said
	}
	p.learn(compare((*world).tree))
	for i := range c.Steps {
		do(p.next(i))
		if (i+1)%c.Every != 0 && i+1 != c.Steps {
			continue
		}
		for p.learn(compare((*world).tree)); p.crowded(); p.learn(compare((*world).tree)) {
			do(p.clearOut())
		}
	}
}

// logged is how many operations before a difference are shown.
const logged = 100

// answer is what a system said when asked about something.
type answer struct{ of, said string }

func (a answer) String() string { return a.of + ": " + a.said }

func at(list []answer, i int) answer {
	if i < len(list) {
		return list[i]
	}
	return answer{"nothing", ""}
}

// side is a goroutine that works on one of the two systems, so that they work
// at the same time.
type side struct {
	in      chan func(w *world) []answer
	out     chan []answer
	entered chan error
}

func start(w *world, enter func() error) *side {
	s := &side{make(chan func(w *world) []answer), make(chan []answer), make(chan error, 1)}
	go func() {
		defer close(s.out)
		if enter != nil {
			if err := enter(); err != nil {
				s.entered <- err
			}
		}
		close(s.entered)
		for do := range s.in {
			s.out <- do(w)
		}
		for i := range w.fds {
			w.close(i)
		}
	}()
	return s
}

// end waits until the side has closed its descriptors.
func (s *side) end() {
	close(s.in)
	for range s.out {
	}
}

// lost tells that the server does not find what was removed.
func lost(want, got answer) bool {
	return want.of == got.of && got.said == syscall.ENOENT.Error() &&
		(strings.Contains(want.said, removed) || strings.HasPrefix(want.of, "fchmod("))
}

// world is one of the two systems and the descriptors open in it.
type world struct {
	s     Sys
	fds   [nfds]int
	kinds [nfds]uint32 // S_IFMT bits of what is open
	buf   []byte
}

const nfds = 6

func newWorld(s Sys) *world {
	w := &world{s: s, buf: make([]byte, 1<<20)}
	for i := range w.fds {
		w.fds[i] = -1
	}
	return w
}

// open makes fd the descriptor i.
func (w *world) open(i, fd int) {
	var st syscall.Stat_t
	w.s.Fstat(fd, &st)
	w.fds[i], w.kinds[i] = fd, st.Mode&syscall.S_IFMT
}

// close closes descriptor i.
func (w *world) close(i int) syscall.Errno {
	e := w.s.Close(w.fds[i])
	w.fds[i], w.kinds[i] = -1, 0
	return e
}

// op is an operation, to be done on both systems.
type op struct {
	name string
	do   func(w *world) string
}

// step is an operation and what it has to do with.
type step struct {
	op
	touched
}

// touched is what is looked at after an operation.
type touched struct {
	places []place
	fds    []int
	stamp  int64 // the time to give them afterwards; 0: none
	leave  bool  // removed directories must be left
}

// place is a path, and the directory that it starts from.
type place struct {
	dir  int
	path string
}

// player makes operations.
type player struct {
	r   *rand.Rand
	c   RandomConfig
	now touched // by the operation that is being made
	// known are the paths that there were in the last tree, by their last names.
	known map[string][]string
}

func (p *player) pick(list ...string) string { return list[p.r.IntN(len(list))] }

func (p *player) one(n int) bool { return p.r.IntN(n) == 0 }

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
	if st.Mode&syscall.S_IFMT != syscall.S_IFDIR {
		s += fmt.Sprintf(" size %d nlink %d rdev %#x", st.Size, st.Nlink, st.Rdev)
	}
	if st.Nlink == 0 {
		s += removed
	}
	return s + " mtime " + moment(st.Mtim)
}

const removed = " removed"

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
	whiteout  = 4
)
