package trace

import "github.com/yolkos/yolk/kernel/trace/wire"

// OfCPU reports whether r is of a CPU, not of a goroutine: what it runs, and what wakes a goroutine without another one.
func (r *Record) OfCPU() bool {
	e := &r.Event
	if r.Begun != nil {
		e = &r.Begun.Event
	}
	return trackOf(e).cpu >= 0
}

// run has the CPU of r run another goroutine, or none. Spans of a CPU do not lie in each other: what it has run, or that it
// has idled, is over.
func (s *Spans) run(r *Record) {
	s.leave(r)
	if r.Event.A == 0 {
		return
	}
	s.close(trackOf(&r.Event), 0, r.Time)
	r.Woken = s.woken[r.G]
	delete(s.woken, r.G)
	s.begin(r)
}

// leave has the CPU of r run no more what it has run, for the reason that r tells.
func (s *Spans) leave(r *Record) {
	t := trackOf(&r.Event)
	open := s.open[t]
	if len(open) == 0 || open[0].Kind != wire.Sched {
		return
	}
	b := open[0]
	s.set(t, nil)
	end := &Record{Phase: Finish, Time: r.Time, G: b.G, CPU: b.CPU, Kind: b.Kind, Name: b.Name, Event: b.Event,
		Left: s.names(wire.LeftNames, uint32(r.Event.B))}
	s.join(end, b)
	s.hand(end)
}

// wake remembers what has made a goroutine ready, until it runs.
func (s *Spans) wake(r *Record) {
	if len(s.woken) < maxTracks {
		s.woken[r.Event.A] = r
	}
}
