// Package coherence tests what POSIX promises to goroutines that use the same
// files at the same time: what a call has written, every later call finds,
// through any descriptor, and nothing that was seen is taken back. Several
// workers play random calls; when all is over, what each has found is checked
// against the times of the calls that may have made it so. It needs no model of
// the order in which the calls took effect, so it may play on any system.
package coherence

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs/fstest"
)

// Config says what Play plays.
type Config struct {
	Seed    uint64
	Workers int
	Calls   int // of each worker
	// Elsewhere, if not nil, is another system with the same files, such as the
	// server's: the first worker plays there. Nothing may be remembered then
	// of what was there before.
	Elsewhere fstest.Sys
	// Turn, if not nil, is called by a worker before each of its calls.
	Turn func(worker int)
}

// Names of the directory that is played in, apart from those of the workers.
const (
	dataFiles = 2 // data0, … are written, read and cut anywhere
	targets   = 2 // target0, … are replaced by renames
	locks     = 2 // lock0, … are made exclusively, and removed
	keeps     = 3 // keep0, … stay as they are
	logName   = "log"
)

// edges are those of what a client may keep together: most calls are near them.
var edges = []int64{0, 8, 4088, 4096, 65528, 65536, 65544, 131064, 131072, 150000}

// play is one play under way.
type play struct {
	dir   string
	c     Config
	clock atomic.Int64
	ids   atomic.Uint64

	// What this play prefers.
	focus  []int64 // edges
	style  int
	rarely int // in so many cases, a call that cuts is played

	mu    sync.Mutex
	data  [dataFiles][]touch
	sizes [dataFiles]extent
	tails [dataFiles]int64 // where the last write ended
	names map[string]*register
	log   appends
	err   error
}

// Styles of a play.
const (
	mixed   = iota
	short   // accesses of a few bytes
	growing // files grow, and are read at their ends
	spot    // all accesses are to the same place, some too long to be kept
	styles
)

// touch is an access to the bytes of a file from off to end.
type touch struct {
	access
	off, end int64
	read     []byte // what a read has found; each eight bytes are a number
	beyond   bool   // a call has found that the file ends before them, which is a read of 0
}

// Play plays in the directory dir of sys, which is empty, and returns an error
// that says which call has found what it cannot have found.
func Play(sys fstest.Sys, dir string, c Config) error {
	p := &play{dir: dir, c: c, names: map[string]*register{}}
	for f := range dataFiles {
		p.sizes[f].of = fmt.Sprintf("size of data%d", f)
		p.data[f] = []touch{{access: access{by: "nobody"}, end: endless}}
	}
	var wg sync.WaitGroup
	first := &worker{play: p, sys: sys, r: rand.New(rand.NewPCG(c.Seed, 1<<32))}
	p.focus = edges
	if n := len(edges); first.r.IntN(4) > 0 {
		i := first.r.IntN(n)
		p.focus = edges[i:min(n, i+1+first.r.IntN(4))]
	}
	p.style, p.rarely = first.r.IntN(styles), 1+first.r.IntN(8)
	if p.style == spot {
		p.focus, p.rarely = p.focus[:1], 30
	}
	first.prepare()
	for i := range c.Workers {
		w := &worker{play: p, sys: sys, number: i, r: rand.New(rand.NewPCG(c.Seed, uint64(i)))}
		if i == 0 && c.Elsewhere != nil {
			w.sys = c.Elsewhere
		}
		wg.Go(w.work)
	}
	wg.Wait()
	first.look()
	return p.check(first.r)
}

func (p *play) fail(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *play) failed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err != nil
}

// check checks everything that was found.
func (p *play) check(r *rand.Rand) error {
	if p.err != nil {
		return p.err
	}
	for f := range dataFiles {
		places := somePlaces(p.data[f], r)
		if err := checkBytes(fmt.Sprint("data", f), p.data[f], places); err != nil {
			return err
		}
		if err := checkCuts(&p.sizes[f], p.data[f], places); err != nil {
			return err
		}
		if err := p.sizes[f].check(); err != nil {
			return err
		}
	}
	for _, r := range p.names {
		if err := r.check(); err != nil {
			return err
		}
	}
	return p.log.check()
}

// endless is the end of what has none.
const endless = 1 << 62

// checked is at how many places of a file the bytes are checked.
const checked = 24

// somePlaces chooses among the beginnings and ends of the accesses to a file.
func somePlaces(list []touch, r *rand.Rand) []int64 {
	places := map[int64]bool{}
	for _, t := range list {
		if t.off < t.end && t.end < endless {
			places[t.off], places[t.end-8] = true, true
		}
	}
	some := slices.Sorted(maps.Keys(places))
	r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	return some[:min(len(some), checked)]
}

// checkBytes checks what was found in a file: eight bytes at a place are a register.
func checkBytes(name string, list []touch, places []int64) error {
	for _, at := range places {
		reg := register{of: fmt.Sprintf("%s at %d", name, at)}
		for _, t := range list {
			switch a := t.access; {
			case at < t.off || t.end < at+8:
			case t.beyond:
				reg.reads = append(reg.reads, a)
			case t.read == nil:
				reg.writes = append(reg.writes, a)
			default:
				a.value = binary.LittleEndian.Uint64(t.read[at-t.off:])
				reg.reads = append(reg.reads, a)
			}
		}
		if err := reg.check(); err != nil {
			return err
		}
	}
	return nil
}

// name is the register of a name: 0 for none, else whose file it is. p.mu is
// held.
func (p *play) name(name string) *register {
	r := p.names[name]
	if r == nil {
		r = &register{of: name, writes: []access{{by: "nobody"}}}
		p.names[name] = r
	}
	return r
}

// worker plays its calls one after the other.
type worker struct {
	*play
	sys    fstest.Sys
	number int
	r      *rand.Rand
	fds    [dataFiles]int
	logFD  int
}

// call times f, and records what it did with note unless f has failed.
func (w *worker) call(by string, f func() syscall.Errno, note func(a interval, by string, e syscall.Errno) error) {
	start := w.clock.Add(1)
	e := f()
	at := interval{start, w.clock.Add(1)}
	w.mu.Lock()
	err := note(at, by, e)
	w.mu.Unlock()
	if err != nil {
		w.fail("worker %d: %s [%d,%d]: %v", w.number, by, at.start, at.end, err)
	}
}

// must is what note returns for a call that may not fail.
func must(e syscall.Errno) error {
	if e != 0 {
		return e
	}
	return nil
}

func (w *worker) path(format string, args ...any) string {
	return w.dir + "/" + fmt.Sprintf(format, args...)
}

func (w *worker) open(name string, flags int) int {
	fd, e := w.sys.Openat(cwd, w.path("%s", name), flags, 0o644)
	if e != 0 {
		w.fail("worker %d: open %s: %v", w.number, name, e)
	}
	return fd
}

// prepare makes the files that are there from the beginning.
func (w *worker) prepare() {
	for i := range keeps {
		name := fmt.Sprint("keep", i)
		w.sys.Close(w.open(name, syscall.O_CREAT|syscall.O_WRONLY))
		w.name(name).writes[0].value = 1
	}
	for _, name := range []string{"data0", "data1", logName} {
		w.sys.Close(w.open(name, syscall.O_CREAT|syscall.O_WRONLY))
		w.name(name).writes[0].value = 1
	}
}

func (w *worker) work() {
	for f := range w.fds {
		w.fds[f] = w.open(fmt.Sprint("data", f), syscall.O_RDWR)
	}
	w.logFD = w.open(logName, syscall.O_RDWR|syscall.O_APPEND)
	total := 0
	for _, o := range calls {
		total += o.weight
	}
	for range w.c.Calls {
		if w.c.Turn != nil {
			w.c.Turn(w.number)
		}
		if w.failed() {
			break
		}
		n := w.r.IntN(total)
		for _, o := range calls {
			if n -= o.weight; n < 0 {
				o.do(w)
				break
			}
		}
	}
	for _, fd := range w.fds {
		w.sys.Close(fd)
	}
	w.sys.Close(w.logFD)
}

// look finds out, when all is over, what there is.
func (w *worker) look() {
	for f := range dataFiles {
		fd := w.open(fmt.Sprint("data", f), syscall.O_RDONLY)
		w.read(f, fd, 0, make([]byte, 256<<10))
		w.stat(f, fd)
		w.sys.Close(fd)
	}
	for i := range targets {
		w.readTarget(i)
	}
	w.list(4096)
	w.logFD = w.open(logName, syscall.O_RDONLY)
	w.readLog()
	w.log.last = true
	w.sys.Close(w.logFD)
}

// stamp is n bytes of which each eight are id.
func stamp(id uint64, n int) []byte {
	b := make([]byte, 0, n)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, id)
	}
	return b
}
