package trace

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/yolkos/yolk/kernel/trace/wire"
)

// chromeWriter writes the JSON of Chrome's trace event format, in its form of an
// object, which Perfetto reads as well. Goroutines and CPUs are its threads.
//
// A span is one event (X), written when it has ended. Those of a thread lie in each
// other or apart, as the format wants it. Of FUSE requests that go on while their goroutine does
// other things one may have begun in the midst of another: those are asynchronous (b, e).
type chromeWriter struct {
	w     io.Writer
	begun bool
	err   error
	draw  func(e chromeEvent) // gets the events in place of w; nil: they are written

	threads map[[2]uint64]bool // that have been named
	// Of goroutines in a call or request, by their numbers: when the last request ended that went on beside, and is
	// shown as a span all the same; when their last span ended; and what it may wait for.
	busy  map[chromeTrack]int64
	ended map[uint64]int64
	waits map[uint64]*wait
}

// chromeTrack is a goroutine while it is in a call or request, or while it is outside of any.
type chromeTrack struct {
	g       uint64
	outside bool
}

// maxThreads is how many threads are known to have been named. With more, some are named
// again.
const maxThreads = 1 << 16

// wait is what a goroutine may wait for.
type wait struct {
	device    uint64
	from      int64 // ns: when the device was told
	interrupt int64 // ns: when it interrupted; 0: it has not
}

// Processes of such a trace.
const (
	pidProgram = 1
	pidCPUs    = 2
	pidServers = 3 // of files, on the host
)

// chromeEvent is an event of the format. Times are in microseconds.
type chromeEvent struct {
	Name  string         `json:"name"`
	Phase string         `json:"ph"`
	Cat   string         `json:"cat,omitempty"`
	Time  json.Number    `json:"ts,omitempty"`
	Dur   json.Number    `json:"dur,omitempty"`
	PID   int            `json:"pid"`
	TID   uint64         `json:"tid"`
	ID    string         `json:"id,omitempty"`
	Scope string         `json:"s,omitempty"`
	Args  map[string]any `json:"args,omitempty"`

	from, to int64 // ns, of a span
}

func newChromeWriter(w io.Writer) *chromeWriter {
	return &chromeWriter{w: w, threads: map[[2]uint64]bool{}, busy: map[chromeTrack]int64{}, ended: map[uint64]int64{}, waits: map[uint64]*wait{}}
}

func micro(ns int64) json.Number {
	return json.Number(fmt.Sprintf("%d.%03d", ns/1000, ns%1000))
}

func (c *chromeWriter) put(e chromeEvent) {
	if c.err != nil {
		return
	}
	if c.draw != nil {
		c.draw(e)
		return
	}
	text, err := json.Marshal(e)
	if err != nil {
		c.err = err
		return
	}
	lead := ",\n"
	if !c.begun {
		c.begun = true
		lead = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
	}
	_, c.err = fmt.Fprintf(c.w, "%s%s", lead, text)
}

// name names a process, or with a thread's number that.
func (c *chromeWriter) name(what string, pid int, tid uint64, name string) {
	c.put(chromeEvent{Name: what, Phase: "M", PID: pid, TID: tid, Args: map[string]any{"name": name}})
}

// thread is the thread of a record, which is named when it is first used.
func (c *chromeWriter) thread(r *Record) (pid int, tid uint64) {
	pid, tid = pidProgram, r.G
	name := "goroutine " + strconv.FormatUint(r.G, 10)
	if r.OfCPU() {
		pid, tid = pidCPUs, uint64(r.CPU)
		name = "CPU " + strconv.Itoa(int(r.CPU))
	}
	if k := [2]uint64{uint64(pid), tid}; !c.threads[k] {
		if !c.begun {
			c.name("process_name", pidProgram, 0, "guest")
			c.name("process_name", pidCPUs, 0, "processors")
			c.name("process_name", pidServers, 0, "file servers of the host")
		}
		if len(c.threads) >= maxThreads {
			clear(c.threads)
		}
		c.threads[k] = true
		c.name("thread_name", pid, tid, name)
	}
	return pid, tid
}

func (c *chromeWriter) record(r *Record) {
	pid, tid := c.thread(r)
	e := chromeEvent{Name: title(r), Cat: r.Kind.String(), PID: pid, TID: tid}
	if r.Kind == wire.Sched {
		e.Cat = "running"
	}
	switch r.Phase {
	case Instant:
		if r.Kind == wire.Interrupt {
			c.interrupted(r)
		}
		e.Phase, e.Time, e.Scope = "i", micro(r.Time), "t"
		e.Args = map[string]any{"what": Describe(r)}
		c.put(e)
	case Finish:
		if r.Kind == wire.Notify && !r.Unfinished {
			c.waits[r.G] = &wait{device: r.Begun.Event.A, from: r.Time}
		}
		c.served(r)
		c.span(e, r)
		if r.Depth == 0 && pid == pidProgram {
			delete(c.busy, chromeTrack{r.G, false})
			delete(c.ended, r.G)
			delete(c.waits, r.G)
		}
	case AsyncEnd:
		c.served(r)
		if t := (chromeTrack{r.G, r.Depth == 0}); r.Nested && r.Begun.Time >= c.busy[t] {
			c.busy[t] = r.Time
			c.span(e, r)
			if t.outside {
				delete(c.ended, r.G)
			}
			return
		}
		e.Phase, e.Time, e.TID = "b", micro(r.Begun.Time), r.Begun.G
		e.ID = fmt.Sprintf("%d-%d", r.Begun.Event.Op>>8, uint32(r.Begun.Event.B))
		e.Args = what(r)
		c.put(e)
		e.Phase, e.Time, e.Args = "e", micro(r.Time), nil
		c.put(e)
	}
}

// what says what a span is, and how it ended.
func what(r *Record) map[string]any {
	return map[string]any{"what": Describe(r.Begun), "result": Result(r)}
}

// span writes a span that has ended, and if it is a request, what it waited for.
func (c *chromeWriter) span(e chromeEvent, r *Record) {
	b := r.Begun
	e.Args = what(r)
	c.putSpan(e, b.Time, r.Time)
	if e.PID != pidProgram {
		return
	}
	last := c.ended[r.G]
	c.ended[r.G] = r.Time
	if r.Kind != wire.Fuse {
		return
	}
	// The server works from when the device has been told until it interrupts, and then the
	// goroutine gets a CPU. Who looks at the ring meanwhile has no interrupt. All this comes after the last span
	// in the request, so that none overlaps.
	w := c.waits[r.G]
	delete(c.waits, r.G)
	told := w != nil && w.from >= b.Time
	if !told {
		w = &wait{from: b.Time}
	}
	at := max(w.from, last)
	part := func(name, cat string, to int64) {
		if to > at {
			c.putSpan(chromeEvent{Name: name, Cat: cat, PID: e.PID, TID: e.TID}, at, to)
			at = to
		}
	}
	switch s := r.Served; {
	case s != nil:
		// A server that has not been told is still at work on another request, and finds this one in
		// the ring. It may be done before the notification is.
		part("ring", "ring", s.From)
		part("file server", "server", s.To)
		part("interrupt", "ring", w.interrupt)
	case told && w.interrupt > 0:
		part("file server", "server", w.interrupt)
	case told:
		part("file server", "server", r.Time)
	default:
		return
	}
	part("wake up", "sched", r.Time)
}

// served writes when the host worked for a request that has ended. Requests may go on beside each other: these
// are no spans of a thread.
func (c *chromeWriter) served(r *Record) {
	s := r.Served
	if s == nil {
		return
	}
	e := chromeEvent{Name: title(r), Cat: "server", Phase: "b", Time: micro(s.From), PID: pidServers,
		ID:   fmt.Sprintf("server %d-%d", r.Begun.Event.Op>>8, uint32(r.Begun.Event.B)),
		Args: map[string]any{"what": Describe(r.Begun), "error": round(s.Error).String()}}
	c.put(e)
	e.Phase, e.Time, e.Args = "e", micro(s.To), nil
	c.put(e)
}

// putSpan writes a span of a thread.
func (c *chromeWriter) putSpan(e chromeEvent, from, to int64) {
	e.Phase, e.Time, e.Dur, e.from, e.to = "X", micro(from), micro(to-from), from, to
	c.put(e)
}

// interrupted notes the first interrupt of a device for those who wait for it.
func (c *chromeWriter) interrupted(r *Record) {
	for _, w := range c.waits {
		if w.device == r.Event.A && w.interrupt == 0 {
			w.interrupt = r.Time
		}
	}
}

// title is what stands on a span.
func title(r *Record) string {
	switch r.Kind {
	case wire.Notify:
		return "notify " + r.Name
	case wire.Interrupt:
		return "interrupt " + r.Name
	case wire.Fuse:
		return "FUSE " + r.Name
	case wire.Sched:
		if r.Phase == Instant {
			return Describe(r)
		}
	}
	return r.Name
}

func (c *chromeWriter) pause() {}

func (c *chromeWriter) close(lost uint64) error {
	if !c.begun {
		c.name("process_name", pidProgram, 0, "guest")
	}
	if c.err == nil {
		_, c.err = fmt.Fprintf(c.w, "\n],\"otherData\":{\"lost\":%d}}\n", lost)
	}
	return c.err
}
