package trace

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/yolkos/yolk/kernel/trace/wire"
	"github.com/yolkos/yolk/qemu/served"
)

// Format is how a trace is written.
type Format string

// The formats.
const (
	Text   Format = "text"   // lines to be read
	JSON   Format = "json"   // lines of JSON
	Chrome Format = "chrome" // for ui.perfetto.dev and chrome://tracing
	SVG    Format = "svg"    // a picture of a short trace
)

// FormatOf is the format that the name of a file stands for.
func FormatOf(name string) Format {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jsonl", ".ndjson":
		return JSON
	case ".json", ".perfetto":
		return Chrome
	case ".svg":
		return SVG
	}
	return Text
}

// writer writes records in a format.
type writer interface {
	record(r *Record)
	pause()
	close(lost uint64) error
}

// Trace turns the stream of a guest into a trace in a format. What has come up to now can always
// be read from the file, but for the end of one for Chrome.
type Trace struct {
	filter Filter
	reader *Reader
	spans  *Spans
	hosts  servers
	out    writer
	buf    *bufio.Writer
}

// New returns a Trace that writes to w.
func New(w io.Writer, format Format, f Filter) (*Trace, error) {
	t := &Trace{buf: bufio.NewWriterSize(w, 64<<10)}
	switch format {
	case Text:
		t.out = &textWriter{w: t.buf}
	case JSON:
		t.out = newJSONWriter(t.buf)
	case Chrome:
		t.out = newChromeWriter(t.buf)
	case SVG:
		t.out = newSVGWriter(t.buf)
	default:
		return nil, fmt.Errorf("there is no format %q for traces; there are %s, %s, %s and %s", format, Text, JSON, Chrome, SVG)
	}
	t.filter = f
	t.Stream()
	return t, nil
}

// Stream begins a stream, which is written to what it returns. What came of one before is
// what it is.
func (t *Trace) Stream() io.Writer {
	if t.spans != nil {
		t.reader.Close()
		t.spans.Close()
		t.hosts.close()
	}
	reader := NewReader(func(e *wire.Event, ns int64) { t.spans.Take(e, ns) }, func() { t.spans.Close() })
	t.reader, t.spans = reader, NewSpans(t.filter, reader.Name, &t.hosts, t.out.record)
	return t
}

// Serve has r, which tells when the built-in server of a share is at work, be part of the trace. It
// closes r.
func (t *Trace) Serve(tag string, r *served.Reader) { t.hosts.add(tag, r) }

// Write takes the next bytes of the stream. What servers have done for the guest before it sent them
// has been told.
func (t *Trace) Write(p []byte) (int, error) {
	t.hosts.take()
	n, err := t.reader.Write(p)
	t.out.pause()
	if e := t.buf.Flush(); err == nil {
		err = e
	}
	return n, err
}

// Close ends the trace, whose stream has ended.
func (t *Trace) Close() error {
	t.reader.Close()
	t.spans.Close()
	t.hosts.close()
	err := t.out.close(t.Lost())
	if e := t.buf.Flush(); err == nil {
		err = e
	}
	return err
}

// Lost is how many events the guest, or a server, had no room for.
func (t *Trace) Lost() uint64 { return t.reader.Lost() + t.hosts.missing() }
