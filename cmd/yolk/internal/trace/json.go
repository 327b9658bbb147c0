package trace

import (
	"encoding/json"
	"io"

	"github.com/yolkos/yolk/kernel/trace/wire"
)

// line is an event as a line of JSON.
type line struct {
	Time       int64   `json:"t"` // ns since the boot
	Phase      string  `json:"ph"`
	Kind       string  `json:"kind"`
	Name       string  `json:"name"`
	G          uint64  `json:"g,omitempty"`
	CPU        uint16  `json:"cpu"`
	Depth      int     `json:"depth,omitempty"`
	Path       string  `json:"path,omitempty"`
	Share      string  `json:"share,omitempty"`
	Text       string  `json:"text,omitempty"`   // as a text has it
	Node       uint64  `json:"node,omitempty"`   // FUSE: of the request, or of the entry in the reply
	Unique     uint32  `json:"unique,omitempty"` // FUSE
	Bytes      *uint64 `json:"bytes,omitempty"`  // FUSE: of the request or the reply, headers included
	Queue      *int32  `json:"queue,omitempty"`
	Result     *int64  `json:"result,omitempty"` // of a call
	Errno      string  `json:"errno,omitempty"`
	Dur        *int64  `json:"dur,omitempty"` // ns, of what has ended
	Unfinished bool    `json:"unfinished,omitempty"`
	Left       string  `json:"left,omitempty"`   // why a goroutine does not run any more
	By         *uint64 `json:"by,omitempty"`     // the goroutine that has woken one; 0: a timer, or the runtime
	Waited     *int64  `json:"waited,omitempty"` // ns from then until it runs
	Served     *work   `json:"served,omitempty"` // FUSE, of what has ended
}

// work is when a file server was at work, in ns.
type work struct {
	Time  int64 `json:"t"` // since the boot
	Dur   int64 `json:"dur"`
	Error int64 `json:"error"` // by how much t may be wrong
}

func newLine(r *Record) line {
	e := &r.Event
	l := line{Time: r.Time, Phase: string(r.Phase), Kind: r.Kind.String(), Name: r.Name, G: r.G, CPU: r.CPU, Depth: r.Depth,
		Path: r.Path, Share: r.Share, Unfinished: r.Unfinished}
	if r.Begun == nil {
		l.Text = Describe(r)
	} else {
		l.Dur = &r.Dur
		if e.Errno != 0 {
			l.Errno = errnoName(e.Errno)
		}
	}
	if r.Unfinished {
		return l
	}
	if s := r.Served; s != nil {
		l.Served = &work{s.From, s.To - s.From, s.Error}
	}
	switch r.Kind {
	case wire.Call:
		if r.Begun != nil && e.Errno == 0 {
			n := int64(e.A)
			l.Result = &n
		}
	case wire.Sched:
		l.Left = r.Left
		if w := r.Woken; w != nil {
			waited := r.Time - w.Time
			l.By, l.Waited = &w.G, &waited
		}
	case wire.Fuse:
		n := e.B >> 32
		l.Node, l.Unique, l.Bytes = e.A, uint32(e.B), &n
	case wire.Notify, wire.Interrupt:
		n := int32(e.B)
		l.Queue = &n
	}
	return l
}

// jsonWriter writes a line of JSON for each event.
type jsonWriter struct {
	enc *json.Encoder
	err error
}

func newJSONWriter(w io.Writer) *jsonWriter {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &jsonWriter{enc: enc}
}

func (j *jsonWriter) record(r *Record) { j.put(newLine(r)) }

func (j *jsonWriter) put(v any) {
	if j.err == nil {
		j.err = j.enc.Encode(v)
	}
}

func (j *jsonWriter) pause() {}

func (j *jsonWriter) close(lost uint64) error {
	if lost > 0 {
		j.put(struct {
			Lost uint64 `json:"lost"`
		}{lost})
	}
	return j.err
}
