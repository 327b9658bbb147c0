package trace

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/yolk/internal/trace/tracetest"
	"github.com/yolkos/yolk/kernel/trace/wire"
)

func TestText(t *testing.T) {
	g := newGuest()
	g.readFile()
	g.call(262, 3, 0, 0, "gone")
	g.result(262, unixNone, 1<<64-1)
	g.send(0)
	g.put(wire.Idle, 0, 0, 0, 0, 0, 0, "")
	g.put(wire.Idle, wire.End, 0, 0, 12, 0, 0, "")
	g.call(500, 0, 'r', 0, "")
	g.send(3)
	want := `    0.000010 g1     openat(AT_FDCWD, "/etc/hosts", O_RDONLY|O_CLOEXEC)
    0.000020 g1       LOOKUP "/etc" (root, node 1, unique 2, 60 bytes)
    0.000030 g1         notify virtiofs (virtio-test 0) queue 1 <10µs>
    0.000050 g9     interrupt virtiofs (virtio-test 0) queue 1
    0.000060 g1       … LOOKUP = node 5, 120 bytes <40µs>
    0.000070 g1       LOOKUP "/etc/hosts" (root, node 5, unique 4, 60 bytes)
    0.000080 g1         notify virtiofs (virtio-test 0) queue 1 <10µs>
    0.000100 g9     interrupt virtiofs (virtio-test 0) queue 1
    0.000110 g1       … LOOKUP = node 6, 120 bytes <40µs>
    0.000120 g1       OPEN "/etc/hosts" (root, node 6, unique 6, 60 bytes)
    0.000130 g1         notify virtiofs (virtio-test 0) queue 1 <10µs>
    0.000150 g9     interrupt virtiofs (virtio-test 0) queue 1
    0.000160 g1       … OPEN = 120 bytes <40µs>
    0.000170 g1     … openat = 3 <160µs>
    0.000180 g1     fstat(3</etc/hosts>) = 0 <10µs>
    0.000200 g1     read(3</etc/hosts>, 512)
    0.000210 g1       READ "/etc/hosts" at 0 (root, node 6, unique 8, 60 bytes) …
    0.000220 g1       notify virtiofs (virtio-test 0) queue 1 <10µs>
    0.000240 g9     interrupt virtiofs (virtio-test 0) queue 1
    0.000250 g1       READ = 120 bytes <40µs>
    0.000260 g1     … read = 40 <60µs>
    0.000270 g1     close(3</etc/hosts>)
    0.000280 g1       RELEASE "/etc/hosts" (root, node 6, unique 10, 64 bytes) …
    0.000290 g1     … close = 0 <20µs>
    0.000300 g7       RELEASE = 16 bytes <20µs>
    0.000310 g1     newfstatat(3, "gone", 0) = ENOENT <10µs>
    0.000330 cpu0   idle = timers 12 <10µs>
    0.000350 g1     wait(0, 'r') = ? (unfinished) <0s>
3 events were lost: they came faster than the launcher took them
`
	// Lost counts are those of each CPU.
	want = strings.Replace(want, "3 events", "12 events", 1)
	for _, n := range []int{len(g.stream), 1, 7, 100} {
		if got := g.write(t, Text, "", n); got != want {
			t.Fatalf("in pieces of %d bytes:\n%s\nwant\n%s", n, got, want)
		}
	}
}

// TestFilter: kinds, and paths with what goes on for them.
func TestFilter(t *testing.T) {
	g := newGuest()
	g.readFile()
	g.call(257, atFDCWD, 0, 0, "/tmp/x")
	g.result(257, 0, 4)
	g.call(17, 4, 10, 5, "")
	g.result(17, 0, 10)
	g.call(32, 4, 0, 0, "")
	g.result(32, 0, 6)
	g.call(3, 4, 0, 0, "")
	g.result(3, 0, 0)
	g.call(5, 4, 0, 0, "") // not open any more
	g.result(5, 9, 0)
	g.call(263, 6, 0, 0, "below")
	g.result(263, 0, 0)
	g.put(wire.Fuse, wire.Single|wire.Entry, 44, 0, 8, 0, 5, "passwd")
	g.request(0, 14, 8, 20, 0, "", 0, 0)
	g.send(0)
	for _, tt := range []struct{ filter, want string }{
		{"path=/tmp", "openat pread64 dup close unlinkat"},
		{"path=/tmp/x,call", "openat pread64 dup close unlinkat"},
		{"path=/tmp/?", "openat pread64 dup close unlinkat"},
		{"path=/tmp/y", ""},
		{"irq", "virtiofs virtiofs virtiofs virtiofs virtiofs"},
		{"path=/etc/passwd", "OPEN virtiofs"},
		{"call,path=/etc/hosts", "openat fstat read close"},
		{"fuse,path=/etc/hosts", "LOOKUP LOOKUP OPEN READ RELEASE"},
		{"fuse,path=/etc/p*", "OPEN"},
		{"path=/etc/hosts,path=/tmp,call", "openat fstat read close openat pread64 dup close unlinkat"},
	} {
		var names []string
		for line := range strings.Lines(g.write(t, JSON, tt.filter, 1<<20)) {
			var l struct{ Ph, Name string }
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if l.Ph == "B" || l.Ph == "i" || l.Ph == "b" {
				name, _, _ := strings.Cut(l.Name, " ")
				names = append(names, name)
			}
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.filter, got, tt.want)
		}
	}
	for _, text := range []string{"calls", "path=", "path=[", "call,paths=/x", "1"} {
		if f, err := ParseFilter(text); err == nil {
			t.Errorf("%q: %+v, want an error", text, f)
		}
	}
	f, err := ParseFilter("irq,path=/x")
	if want := "call,fuse,irq"; err != nil || f.Needed().String() != want {
		t.Errorf("needed: %v, %v, want %s", f.Needed(), err, want)
	}
}

// TestJSON: each line is an object, and each end has its beginning.
func TestJSON(t *testing.T) {
	g := newGuest()
	g.readFile()
	g.send(1)
	open := map[string]int{}
	lines := strings.Split(strings.TrimSpace(g.write(t, JSON, "", 33)), "\n")
	for i, text := range lines {
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		if i == len(lines)-1 {
			if text != `{"lost":4}` {
				t.Errorf("the last line is %s", text)
			}
			break
		}
		var l line
		if err := d.Decode(&l); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if strings.Contains("Bb", l.Phase) {
			open[l.Name]++
		} else if l.Phase != "i" {
			if open[l.Name]--; l.Dur == nil || *l.Dur <= 0 {
				t.Errorf("%s: no duration", text)
			}
		}
		if l.Name == "READ" && l.Phase == "b" && (l.Path != "/etc/hosts" || l.Share != "root" || l.Node != 6 || l.Unique != 8 || *l.Bytes != 60) {
			t.Errorf("%s", text)
		}
		if l.Name == "openat" && l.Phase == "E" && (*l.Result != 3 || l.Path != "/etc/hosts") {
			t.Errorf("%s", text)
		}
	}
	for name, n := range open {
		if n != 0 {
			t.Errorf("%s: %d more beginnings than ends", name, n)
		}
	}
}

func TestChrome(t *testing.T) {
	g := newGuest()
	g.readFile()
	g.call(500, 0, 'r', 0, "") // does not end
	g.put(wire.Idle, 0, 0, 0, 0, 0, 0, "")
	g.send(0)
	text := g.write(t, Chrome, "", 50)
	if n := strings.Count(text, `"name":"interrupt virtiofs (virtio-test 0)","ph":"i"`); n != 4 {
		t.Errorf("%d interrupts, want 4", n)
	}
	threads := tracetest.Spans(t, text)
	main := threads["1 1"]
	for name, want := range map[string]string{
		"FUSE LOOKUP":                     "openat;FUSE LOOKUP;",
		"FUSE READ":                       "read;FUSE READ;",
		"file server":                     "openat;FUSE LOOKUP;file server;",
		"wake up":                         "openat;FUSE LOOKUP;wake up;",
		"notify virtiofs (virtio-test 0)": "openat;FUSE LOOKUP;notify virtiofs (virtio-test 0);",
		"wait":                            "wait;",
	} {
		if got := tracetest.Paths(main, name); len(got) == 0 || got[0] != want {
			t.Errorf("%s is in %s, want %s", name, got, want)
		}
	}
	if n := len(threads["2 0"]); n != 1 {
		t.Errorf("%d spans of CPU 0", n)
	}
	// Requests that overlap are not spans of their goroutine.
	g = newGuest()
	g.call(0, 3, 1, 0, "")
	for i := range uint64(3) {
		g.put(wire.Fuse, wire.Async, 15, 0, 6, i, i*4096, "")
	}
	for i := range uint64(3) {
		g.put(wire.Fuse, wire.Async|wire.End, 15, 0, 0, i, 0, "")
	}
	g.put(wire.Fuse, wire.Async, 15, 0, 6, 7, 0, "")
	g.result(0, 0, 1)
	g.put(wire.Fuse, wire.Async|wire.End, 15, 0, 0, 7, 0, "")
	g.send(0)
	if n := len(tracetest.Spans(t, g.write(t, Chrome, "", 1<<20))["1 1"]); n != 2 {
		t.Errorf("%d spans, want the call and one request", n)
	}
	// Nor are they outside of calls, whatever is in between.
	g = newGuest()
	g.put(wire.Fuse, wire.Async, 15, 0, 6, 1, 0, "")
	g.put(wire.Fuse, wire.Async, 15, 0, 6, 2, 0, "")
	g.put(wire.Fuse, wire.Async|wire.End, 15, 0, 0, 1, 0, "")
	g.call(5, 3, 0, 0, "")
	g.result(5, 0, 0)
	g.put(wire.Fuse, wire.Async|wire.End, 15, 0, 0, 2, 0, "")
	g.send(0)
	if n := len(tracetest.Spans(t, g.write(t, Chrome, "", 1<<20))["1 1"]); n != 2 {
		t.Errorf("%d spans, want the call and one request", n)
	}
	tracetest.Spans(t, newGuest().write(t, Chrome, "", 1<<20)) // nothing has happened
}

// TestLostEnds: whatever is missing of a stream, what is written is in order.
func TestLostEnds(t *testing.T) {
	for skip := range 40 {
		g := newGuest()
		g.readFile()
		g.readFile()
		for cpu, b := range g.round {
			var kept []byte
			for i := 0; len(b) > 0; i++ {
				_, n := wire.Parse(b)
				if (i+int(cpu))%40 != skip && (i*7)%11 != skip {
					kept = append(kept, b[:n]...)
				}
				b = b[n:]
			}
			g.round[cpu] = kept
		}
		g.send(0)
		tracetest.Spans(t, g.write(t, Chrome, "", 1<<20))
		g.write(t, Text, "", 1<<20)
	}
}

// TestNested: the kernel makes calls of its own in those of a program. When tracing has been off, or events were lost,
// nothing is nested in what has ended meanwhile.
func TestNested(t *testing.T) {
	g := newGuest()
	g.call(257, atFDCWD, 0, 0, "/proc")
	g.call(262, 0, 0, 0, "/x")
	g.result(262, 0, 0)
	g.result(257, 0, 3)
	g.call(0, 3, 1, 0, "") // its end is lost
	g.call(257, atFDCWD, 0, 0, "/a")
	g.call(5, 3, 0, 0, "") // so is this one
	g.result(257, 0, 3)
	g.put(wire.Call, wire.Single|wire.Restart, 511, 0, 0, 0, 0, "")
	g.call(3, 3, 0, 0, "")
	g.result(0, 0, 1)
	g.result(3, 0, 0)
	g.send(0)
	want := `    0.000010 g1     openat(AT_FDCWD, "/proc", O_RDONLY)
    0.000020 g1       newfstatat(0, "/x", 0) = 0 <10µs>
    0.000040 g1     … openat = 3 <30µs>
    0.000050 g1     read(3</proc>, 1)
    0.000060 g1       openat(AT_FDCWD, "/a", O_RDONLY)
    0.000070 g1         fstat(3</proc>) = ? (unfinished) <10µs>
    0.000080 g1       … openat = 3 <20µs>
    0.000090 g1     … read = ? (unfinished) <40µs>
    0.000100 g1     close(3</a>) = 0 <20µs>
`
	if got := g.write(t, Text, "", 1<<20); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	tracetest.Spans(t, g.write(t, Chrome, "", 1<<20))
	g = newGuest()
	for range 50 {
		g.call(0, 3, 1, 0, "")
	}
	g.send(0)
	if text := g.write(t, Text, "", 1<<20); strings.Contains(text, strings.Repeat("  ", 2*maxNested+2)+"read") {
		t.Errorf("calls whose ends are missing are nested without end:\n%s", text)
	}
}

// TestStreams: a guest that is started again sends a stream of its own.
func TestStreams(t *testing.T) {
	var out bytes.Buffer
	tr, err := New(&out, Text, Filter{Kinds: wire.All})
	if err != nil {
		t.Fatal(err)
	}
	g := newGuest()
	g.call(257, atFDCWD, 0, 0, "/x")
	g.send(5)
	if _, err := tr.Write(g.stream[:len(g.stream)-10]); err != nil {
		t.Fatal(err)
	}
	g = newGuest()
	g.call(5, 3, 0, 0, "")
	g.result(5, 0, 0)
	g.send(0)
	if _, err := tr.Stream().Write(g.stream); err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	want := `    0.000010 g1     openat(AT_FDCWD, "/x", O_RDONLY) = ? (unfinished) <0s>
    0.000010 g1     fstat(3) = 0 <10µs>
`
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]Format{"t.txt": Text, "t": Text, "a.b/t.JSON": Chrome, "t.jsonl": JSON, "t.ndjson": JSON, "t.json": Chrome} {
		if got := FormatOf(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if _, err := New(io.Discard, "xml", Filter{}); err == nil || !strings.Contains(err.Error(), "chrome") {
		t.Error(err)
	}
}

// failing takes so many bytes.
type failing int

func (f *failing) Write(p []byte) (int, error) {
	if *f -= failing(len(p)); *f < 0 {
		return 0, errors.New("full")
	}
	return len(p), nil
}

func TestWriterFails(t *testing.T) {
	g := newGuest()
	g.readFile()
	g.send(0)
	for _, format := range []Format{Text, JSON, Chrome, SVG} {
		room := failing(300)
		tr, err := New(&room, format, Filter{Kinds: wire.All})
		if err != nil {
			t.Fatal(err)
		}
		_, err = tr.Write(g.stream)
		// A picture is drawn at the end.
		if e := tr.Close(); e == nil || e.Error() != "full" || (err == nil) != (format == SVG) {
			t.Errorf("%s: %v, %v", format, err, e)
		}
	}
}

func TestForeign(t *testing.T) {
	frame := func(h wire.Header, n int) []byte {
		h.Size = uint32(n)
		return append(h.AppendTo([]byte(wire.Magic)), make([]byte, n)...)
	}
	for what, stream := range map[string][]byte{
		"begins with":   []byte("YOLKTRC\x02"),
		"no header":     append([]byte(wire.Magic), make([]byte, 24)...),
		"frame of type": frame(wire.Header{Type: 99}, 0),
		"multiple of":   frame(wire.Header{Type: wire.FrameEvents}, 63),
		"more CPUs":     frame(wire.Header{Type: wire.FrameEvents, CPU: maxCPUs}, 64),
		"space 9":       frame(wire.Header{Type: wire.FrameName, Value: 9 << 32}, 1),
		"a clock":       frame(wire.Header{Type: wire.FrameClock}, 1),
	} {
		r := NewReader(func(*wire.Event, int64) {}, func() {})
		if _, err := r.Write(stream); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%v, want one that says %q", err, what)
		}
		if _, err := r.Write(nil); err == nil {
			t.Errorf("%s: the error is forgotten", what)
		}
	}
}

// FuzzTrace: no stream makes the launcher fail, or what it writes wrong.
func FuzzTrace(f *testing.F) {
	g := newGuest()
	g.readFile()
	g.send(0)
	f.Add(g.stream)
	f.Add(g.stream[:len(g.stream)-100])
	f.Add(switches().stream)
	f.Add([]byte(wire.Magic))
	f.Fuzz(func(t *testing.T, stream []byte) {
		for _, format := range []Format{Text, JSON, Chrome, SVG} {
			var out bytes.Buffer
			tr, err := New(&out, format, Filter{Kinds: wire.All})
			if err != nil {
				t.Fatal(err)
			}
			_, _ = tr.Write(stream)
			if err := tr.Close(); err != nil {
				t.Fatal(err)
			}
			if format == Chrome {
				tracetest.Spans(t, out.String())
			}
		}
	})
}

// TestSVG: a picture has a bar for each span.
func TestSVG(t *testing.T) {
	g := newGuest()
	g.readFile()
	g.call(257, atFDCWD, 0, 0, "/a<b>\xff&")
	g.result(257, 0, 3)
	g.send(2)
	spans := 0
	for _, list := range tracetest.Spans(t, g.write(t, Chrome, "", 1<<20)) {
		spans += len(list)
	}
	for _, tt := range []struct {
		text  string
		spans int
	}{{g.write(t, SVG, "", 100), spans}, {newGuest().write(t, SVG, "", 1<<20), 0}} {
		bars := 0
		for d := xml.NewDecoder(strings.NewReader(tt.text)); ; {
			tok, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%v in\n%s", err, tt.text)
			}
			if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "title" {
				bars++
			}
		}
		if bars != tt.spans || strings.Contains(tt.text, "%!") || tt.spans > 0 != strings.Contains(tt.text, "8 events lost") {
			t.Errorf("%d bars, want %d:\n%s", bars, tt.spans, tt.text)
		}
	}
}
