package trace

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/yolkos/yolk/kernel/trace/wire"
)

// Phase says what of a span an event is.
type Phase byte

// The phases, with the letters that they have in traces for Chrome.
const (
	Begin      Phase = 'B'
	Finish     Phase = 'E'
	Instant    Phase = 'i'
	AsyncBegin Phase = 'b' // of a span that others of the same track may overlap
	AsyncEnd   Phase = 'e'
)

// Record is an event that has been understood.
type Record struct {
	Phase Phase
	Time  int64 // ns since the boot
	Dur   int64 // of a span that has finished, in ns
	G     uint64
	CPU   uint16
	Kind  wire.Kind
	Name  string // the call, the FUSE operation, the device
	Depth int    // how many spans it lies in
	Path  string // of the file, as far as it is known; of FUSE in its share
	Share string // of FUSE
	Event wire.Event
	Begun *Record // of what has finished: where it began
	// Unfinished: its end was not seen. It has ended at the latest by now.
	Unfinished bool
	// Nested: what goes on beside its goroutine has ended where it began: in the same span
	// of it.
	Nested bool
	// Served is when the file server was at work on a request that has ended; nil: that is not known.
	Served *Served

	// Left is, of a goroutine that a CPU does not run any more, why, and Woken, of one that it begins to run, what has made
	// it ready; "" and nil: that is not known.
	Left  string
	Woken *Record

	shown bool
	in    *Record // the span that it began in, of those that go on beside; nil: none
}

// Spans makes records of events: it knows what began where, and which file it is about.
type Spans struct {
	filter Filter
	names  func(space int, number uint32) string
	hosts  *servers
	out    func(r *Record)

	open  map[track][]*Record
	async map[asyncKey]*Record
	woken map[uint64]*Record // goroutines that do not run yet
	files map[int64]string   // paths, by descriptor
	nodes map[nodeKey]string
	last  int64
}

// track is where spans nest: a goroutine, or a CPU, which runs one or idles.
type track struct {
	g   uint64
	cpu int // -1: of a goroutine
}

type asyncKey struct {
	share  uint16
	unique uint32
}

type nodeKey struct {
	share uint16
	node  uint64
}

// Bounds of what is remembered of a guest.
const (
	maxTracks = 1 << 18
	maxFiles  = 1 << 20
	maxNodes  = 1 << 20
)

// NewSpans returns Spans that hand their records to out. Of FUSE requests hosts know when they were served.
func NewSpans(f Filter, names func(space int, number uint32) string, hosts *servers, out func(r *Record)) *Spans {
	return &Spans{filter: f, names: names, hosts: hosts, out: out, open: map[track][]*Record{}, async: map[asyncKey]*Record{}, woken: map[uint64]*Record{}, files: map[int64]string{}, nodes: map[nodeKey]string{}}
}

// Take takes the next event.
func (s *Spans) Take(e *wire.Event, ns int64) {
	s.last = max(s.last, ns)
	r := &Record{Time: ns, G: e.G, CPU: e.CPU, Kind: e.Kind, Event: *e}
	s.describe(r)
	switch {
	case e.Is(wire.Restart):
		s.Close()
	case e.Kind == wire.Sched && !e.Is(wire.Single):
		s.run(r)
	case e.Is(wire.Async) && e.Kind != wire.Fuse:
		// No guest says so.
	case e.Is(wire.Entry):
		if dir := s.node(e.Op>>8, e.C); dir != "" {
			s.know(e.Op>>8, e.A, path.Join(dir, e.Name))
		}
	case e.Is(wire.Async) && e.Is(wire.End):
		s.finishAsync(r)
	case e.Is(wire.Async):
		r.Phase = AsyncBegin
		open := s.open[trackOf(e)]
		if r.Depth = len(open); r.Depth > 0 {
			r.in = open[r.Depth-1]
		}
		s.learn(r)
		r.shown = s.wanted(r)
		if len(s.async) < maxTracks {
			s.async[keyOf(e)] = r
		}
		s.hand(r)
	case e.Is(wire.Single):
		r.Phase = Instant
		r.Depth = len(s.open[trackOf(e)])
		r.shown = s.wanted(r)
		if e.Kind == wire.Sched {
			s.wake(r)
		}
		s.hand(r)
	case e.Is(wire.End):
		s.finish(r)
	default:
		if e.Kind == wire.Idle && e.B != 0 {
			s.leave(r)
		}
		s.begin(r)
	}
}

func trackOf(e *wire.Event) track {
	if e.Kind == wire.Idle || e.Kind == wire.Sched && (!e.Is(wire.Single) || e.B == 0) {
		return track{0, int(e.CPU)}
	}
	if e.Kind == wire.Sched {
		return track{e.B, -1}
	}
	return track{e.G, -1}
}

func keyOf(e *wire.Event) asyncKey { return asyncKey{e.Op >> 8, uint32(e.B)} }

// maxNested is how many calls may be in each other: the kernel makes some of its own. More
// are calls whose ends were lost.
const maxNested = 4

// begin begins a span. Calls hold calls and FUSE requests, and these notifications: what is open and should
// have ended has.
func (s *Spans) begin(r *Record) {
	t := trackOf(&r.Event)
	open := s.open[t]
	if n := len(open); r.Kind != wire.Call || n >= maxNested || n > 0 && open[n-1].Kind != wire.Call {
		s.close(t, r.Kind, r.Time)
		open = s.open[t]
	}
	if len(open) == 0 && len(s.open) >= maxTracks {
		return
	}
	r.Phase, r.Depth = Begin, len(open)
	s.learn(r)
	r.shown = s.wanted(r)
	s.open[t] = append(open, r)
	s.hand(r)
}

// close ends the spans of a track that hold no span of kind k.
func (s *Spans) close(t track, k wire.Kind, now int64) {
	for open := s.open[t]; len(open) > 0 && open[len(open)-1].Kind >= k; open = s.open[t] {
		s.pop(t, now)
	}
}

// pop ends the innermost span of a track, whose end was not seen.
func (s *Spans) pop(t track, now int64) {
	open := s.open[t]
	b := open[len(open)-1]
	s.set(t, open[:len(open)-1])
	s.hand(&Record{Phase: Finish, Time: now, Dur: now - b.Time, G: b.G, CPU: b.CPU, Kind: b.Kind, Name: b.Name, Depth: b.Depth,
		Path: b.Path, Share: b.Share, Begun: b, Unfinished: true, shown: b.shown})
}

func (s *Spans) set(t track, open []*Record) {
	if len(open) == 0 {
		delete(s.open, t)
	} else {
		s.open[t] = open
	}
}

// finish ends a span. One whose beginning was not seen is left out.
func (s *Spans) finish(r *Record) {
	t := trackOf(&r.Event)
	s.close(t, r.Kind+1, r.Time)
	open := s.open[t]
	n := len(open) - 1
	for n >= 0 && (open[n].Kind != r.Kind || open[n].Event.Op != r.Event.Op) {
		n--
	}
	if n < 0 {
		return
	}
	for len(open) > n+1 {
		s.pop(t, r.Time)
		open = s.open[t]
	}
	b := open[n]
	s.set(t, open[:n])
	r.Phase, r.Depth = Finish, len(open)-1
	s.join(r, b)
	s.hand(r)
}

func (s *Spans) finishAsync(r *Record) {
	b := s.async[keyOf(&r.Event)]
	if b == nil {
		return
	}
	delete(s.async, keyOf(&r.Event))
	r.Phase, r.Depth = AsyncEnd, b.Depth
	open := s.open[trackOf(&r.Event)]
	r.Nested = r.G == b.G && len(open) == b.Depth && (b.Depth == 0 || open[b.Depth-1] == b.in)
	s.join(r, b)
	s.hand(r)
}

// join has r be the end of b.
func (s *Spans) join(r, b *Record) {
	r.Begun, r.Dur, r.Path, r.Share, r.shown = b, r.Time-b.Time, b.Path, b.Share, b.shown
	if r.Kind == wire.Fuse {
		r.Served = s.hosts.find(r.Share, uint32(b.Event.B), b.Event.Op&0xff, b.Time, r.Time)
	}
	s.result(r)
}

// Close ends what is open: nothing follows, or something is missing of that.
func (s *Spans) Close() {
	tracks := slices.SortedFunc(maps.Keys(s.open), func(a, b track) int { return cmp.Or(cmp.Compare(a.g, b.g), cmp.Compare(a.cpu, b.cpu)) })
	for _, t := range tracks {
		s.close(t, 0, s.last)
	}
	clear(s.woken)
	for k, b := range s.async {
		delete(s.async, k)
		s.hand(&Record{Phase: AsyncEnd, Time: s.last, Dur: s.last - b.Time, G: b.G, CPU: b.CPU, Kind: b.Kind, Name: b.Name,
			Path: b.Path, Share: b.Share, Begun: b, Unfinished: true, shown: b.shown})
	}
}

// wanted reports whether the filter has r: its path is, or that of what it lies in.
func (s *Spans) wanted(r *Record) bool {
	if s.filter.matches(r.Path) {
		return true
	}
	for _, o := range s.open[trackOf(&r.Event)] {
		if o.shown {
			return true
		}
	}
	return false
}

func (s *Spans) hand(r *Record) {
	if r.shown && s.filter.Kinds.Has(r.Kind) {
		s.out(r)
	}
}

// describe names what an event is about.
func (s *Spans) describe(r *Record) {
	e := &r.Event
	switch e.Kind {
	case wire.Call:
		r.Name = s.names(wire.CallNames, uint32(e.Op))
	case wire.Fuse:
		r.Name = s.names(wire.FuseNames, uint32(e.Op&0xff))
		r.Share = s.names(wire.ShareNames, uint32(e.Op>>8))
	case wire.Notify, wire.Interrupt:
		r.Name = s.names(wire.DeviceNames, uint32(e.A))
	case wire.Idle:
		r.Name = "idle"
	case wire.Sched:
		r.Name = "goroutine " + strconv.FormatUint(e.A, 10)
		if r.G = e.A; e.Is(wire.Single) {
			r.G = e.B
		}
	}
	if r.Name == "" {
		r.Name = "?"
	}
}

// learn finds the path that a begin is about.
func (s *Spans) learn(r *Record) {
	e := &r.Event
	switch e.Kind {
	case wire.Call:
		name, _, _ := strings.Cut(e.Name, "\x00")
		switch fd := int64(int32(e.A)); {
		case name != "" && (path.IsAbs(name) || !takesDir(r.Name)):
			r.Path = path.Clean(name)
		case name != "":
			r.Path = path.Join(s.files[fd], name)
		case takesFile(r.Name):
			r.Path = s.files[fd]
		}
	case wire.Fuse:
		at := s.node(e.Op>>8, e.A)
		switch {
		case e.Name == "":
			r.Path = at
		case at != "":
			r.Path = path.Join(at, e.Name)
		default:
			r.Path = e.Name
		}
	}
}

// takesDir reports whether a call has a directory first, to which a path is relative.
func takesDir(call string) bool {
	switch call {
	case "openat", "mkdirat", "mknodat", "fchownat", "futimesat", "newfstatat", "unlinkat", "renameat", "linkat", "readlinkat", "fchmodat",
		"faccessat", "utimensat", "renameat2", "statx", "openat2", "faccessat2", "fchmodat2", "name_to_handle_at":
		return true
	}
	return false
}

// takesFile reports whether a call has a descriptor first. Of those with a path it
// does not matter.
func takesFile(call string) bool {
	switch call {
	case "read", "write", "close", "fstat", "lseek", "pread64", "pwrite64", "readv", "writev", "preadv", "pwritev", "preadv2", "pwritev2",
		"getdents64", "ioctl", "fcntl", "dup", "dup2", "dup3", "fsync", "fdatasync", "ftruncate", "fchmod", "fchown", "fchdir", "flock",
		"fallocate", "fadvise64", "fstatfs", "fgetxattr", "fsetxattr", "flistxattr", "fremovexattr", "sync_file_range", "syncfs",
		"wait", "interrupt", "set_deadline", "sendfile", "copy_file_range",
		"connect", "bind", "listen", "accept", "accept4", "sendto", "recvfrom", "sendmsg", "recvmsg", "shutdown", "getsockopt", "setsockopt",
		"getsockname", "getpeername", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2":
		return true
	}
	return false
}

// result learns from how something ended.
func (s *Spans) result(r *Record) {
	e, b := &r.Event, r.Begun
	if e.Errno != 0 {
		return
	}
	switch e.Kind {
	case wire.Call:
		fd, was := int64(e.A), int64(int32(b.Event.A))
		switch r.Name {
		case "openat", "open", "creat", "openat2":
			s.file(fd, b.Path)
		case "dup", "dup2", "dup3":
			s.file(fd, s.files[was])
		case "close":
			delete(s.files, was)
		}
	case wire.Fuse:
		if b.Path != "" {
			s.know(e.Op>>8, e.A, b.Path)
		}
	}
}

// node is the path of a node in its share; "" if it is not known.
func (s *Spans) node(share uint16, node uint64) string {
	if node == rootNode {
		return "/"
	}
	return s.nodes[nodeKey{share, node}]
}

func (s *Spans) know(share uint16, node uint64, name string) {
	if node > rootNode && len(s.nodes) < maxNodes {
		s.nodes[nodeKey{share, node}] = name
	}
}

// rootNode is FUSE_ROOT_ID.
const rootNode = 1

func (s *Spans) file(fd int64, name string) {
	if name == "" {
		delete(s.files, fd)
	} else if len(s.files) < maxFiles {
		s.files[fd] = name
	}
}
