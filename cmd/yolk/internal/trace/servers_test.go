package trace

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/yolk/internal/trace/tracetest"
	"github.com/yolkos/yolk/kernel/trace/wire"
	"github.com/yolkos/yolk/qemu/served"
)

// hostBoot is how far the host's clock is ahead of the guest's, in ns.
const hostBoot = 5e12

// writeServed has a Trace write the guest's stream and what the server of the share root has told.
func (g *guest) writeServed(t testing.TB, format Format, records []served.Record) string {
	t.Helper()
	r, w, err := served.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	tr, err := New(&out, format, Filter{Kinds: wire.All})
	if err != nil {
		t.Fatal(err)
	}
	tr.Serve("root", r)
	tell(t, w, records...)
	w.Close()
	if _, err := tr.Write(g.stream); err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func tell(t testing.TB, w *os.File, records ...served.Record) {
	t.Helper()
	for _, r := range records {
		if _, err := w.Write(r.AppendTo(nil)); err != nil {
			t.Fatal(err)
		}
	}
}

// at is a record of what the server did from and to a time of the guest's, in µs.
func at(unique uint64, op uint32, from, to int64) served.Record {
	return served.Record{Unique: unique, Opcode: op, From: hostBoot + 1000*from, To: hostBoot + 1000*to}
}

// TestServed: what the server does lies in the request, in every format.
func TestServed(t *testing.T) {
	g := newGuest()
	g.call(257, atFDCWD, 0, 0, "/etc")
	g.request(0, 1, 1, 2, 0, "etc", 5, 0) // from 20 to 60 µs; the notification from 30 to 40, the interrupt at 50
	g.request(0, 1, 1, 4, 0, "x", 0, 2)   // from 70 to 110 µs
	g.request(0, 1, 1, 6, 0, "y", 0, 2)   // of which nobody tells
	g.result(257, 0, 3)
	g.put(wire.Fuse, wire.Async, 18, 0, 6, 10|64<<32, 0, "") // 180 µs
	g.g = 7
	g.put(wire.Fuse, wire.Async|wire.End, 18, 0, 0, 10|16<<32, 0, "")
	g.send(0)
	records := []served.Record{at(2, 1, 42, 48), at(4, 1, 76, 102), at(10, 18, 184, 186), at(6, 14, 0, 0)}
	want := `    0.000010 g1     openat(AT_FDCWD, "/etc", O_RDONLY)
    0.000020 g1       LOOKUP "/etc" (root, node 1, unique 2, 60 bytes)
    0.000030 g1         notify virtiofs (virtio-test 0) queue 1 <10µs>
    0.000050 g9     interrupt virtiofs (virtio-test 0) queue 1
    0.000037 host       server of root: LOOKUP <6µs, ±17µs>
    0.000060 g1       … LOOKUP = node 5, 120 bytes <40µs>
    0.000070 g1       LOOKUP "/x" (root, node 1, unique 4, 60 bytes)
    0.000080 g1         notify virtiofs (virtio-test 0) queue 1 <10µs>
    0.000100 g9     interrupt virtiofs (virtio-test 0) queue 1
    0.000077 host       server of root: LOOKUP <26µs, ±7µs>
    0.000110 g1       … LOOKUP = ENOENT <40µs>
    0.000120 g1       LOOKUP "/y" (root, node 1, unique 6, 60 bytes)
    0.000130 g1         notify virtiofs (virtio-test 0) queue 1 <10µs>
    0.000150 g9     interrupt virtiofs (virtio-test 0) queue 1
    0.000160 g1       … LOOKUP = ENOENT <40µs>
    0.000170 g1     … openat = 3 <160µs>
    0.000180 g1     RELEASE node 6 (root, node 6, unique 10, 64 bytes) …
    0.000184 host     server of root: RELEASE <2µs, ±4µs>
    0.000190 g7     RELEASE = 16 bytes <10µs>
`
	if got := g.writeServed(t, Text, records); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	lines := strings.Split(g.writeServed(t, JSON, records), "\n")
	var works []work
	for _, text := range lines[:len(lines)-1] {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		if l.Served != nil {
			works = append(works, *l.Served)
		}
	}
	if len(works) != 3 || works[0] != (work{37_000, 6_000, 17_000}) {
		t.Errorf("JSON has %+v", works)
	}
	text := g.writeServed(t, Chrome, records)
	threads := tracetest.Spans(t, text)
	for name, want := range map[string][]string{
		"ring":        {},
		"file server": {"openat;FUSE LOOKUP;file server;", "openat;FUSE LOOKUP;file server;", "openat;FUSE LOOKUP;file server;"},
		"interrupt":   {"openat;FUSE LOOKUP;interrupt;"}, // of the second the reply is a bit later
		"wake up":     {"openat;FUSE LOOKUP;wake up;", "openat;FUSE LOOKUP;wake up;", "openat;FUSE LOOKUP;wake up;"},
	} {
		if got := tracetest.Paths(threads["1 1"], name); !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%s is in %q, want %q", name, got, want)
		}
	}
	if n := strings.Count(text, `"ph":"b","cat":"server"`); n != 3 {
		t.Errorf("%d spans of the host, want 3:\n%s", n, text)
	}
	if text := g.writeServed(t, SVG, records); !strings.Contains(text, "ring, interrupt") {
		t.Errorf("the picture has nothing of the way to the server and back:\n%s", text)
	}
}

// TestServedForeign: whatever a server tells, and in whatever order, the trace is in order.
func TestServedForeign(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		g := newGuest()
		g.readFile()
		g.readFile()
		g.send(0)
		var records []served.Record
		for range random.IntN(40) {
			r := served.Record{Unique: uint64(random.IntN(12)), Opcode: random.Uint32N(20), From: random.Int64() >> random.IntN(64), Lost: 3}
			r.To = r.From + random.Int64()>>random.IntN(64)
			records = append(records, r)
		}
		tracetest.Spans(t, g.writeServed(t, Chrome, records))
	}
}

// TestServedAgain: a server that is started again, and one that does not say anything any more.
func TestServedAgain(t *testing.T) {
	var s servers
	told := func(tag string, records ...served.Record) *os.File {
		r, w, err := served.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		tell(t, w, records...)
		s.add(tag, r)
		return w
	}
	told("root", at(2, 1, 1, 2), served.Record{Lost: 5}).Close()
	s.take()
	w := told("root", at(2, 1, 21, 22), at(4, 1, 33, 34))
	other := told("a (b)", at(2, 14, 51, 52))
	s.take()
	share, another := "virtiofs root (virtio-mmio feb00a00)", "virtiofs a (b) (virtio-pci 00:03.0)"
	if len(s.sources) != 2 || s.missing() != 5 {
		t.Errorf("%d servers that tell, %d lost", len(s.sources), s.missing())
	}
	if got := s.find(share, 2, 1, 20_000, 23_000); got == nil || *got != (Served{21_000, 22_000, 1000}) {
		t.Errorf("the newest is not found, but %+v", got)
	}
	if got := s.find(share, 2, 1, 20_000, 23_000); got != nil {
		t.Errorf("found twice: %+v", got)
	}
	if got := s.find(share, 4, 3, 30_000, 40_000); got != nil {
		t.Errorf("of another operation: %+v", got)
	}
	if got := s.find(another, 2, 14, 50_000, 53_000); got == nil {
		t.Error("a tag with brackets is not found")
	}
	w.Close()
	other.Close()
	s.take()
	if s.close(); s.sources != nil || s.missing() != 5 {
		t.Errorf("%d servers are left, %d lost", len(s.sources), s.missing())
	}
}

// TestHostClock: a request that was served is placed where it was, but for the error that is said, and always between
// its beginning and its end.
func TestHostClock(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, ppm := range []int64{0, 50, -499} {
		var c hostClock
		best := int64(1 << 62)
		for guest := int64(0); guest < 20e9; guest += random.Int64N(1e7) {
			host := hostBoot + guest + guest/1e6*ppm
			out, back := 2000+random.Int64N(100_000), 3000+random.Int64N(100_000)
			// Seen from the guest, at guest: begun out before it was taken, ended back after it was answered.
			off, wrong, ok := c.meet(host-(guest+back), host-(guest-out), guest+back)
			if true := host - guest; !ok || off-wrong > true || off+wrong < true {
				t.Fatalf("at %d ns: the difference is %d ± %d (%t), want %d", guest, off, wrong, ok, true)
			}
			if host-off < guest-out || host-off > guest+back {
				t.Fatalf("at %d ns: placed at %d, which is not within the request", guest, host-off)
			}
			best = min(best, wrong)
		}
		if best > 10_000 {
			t.Errorf("%d ppm: the error is never below %d ns", ppm, best)
		}
	}
	var c hostClock
	if _, _, ok := c.meet(10, 5, 0); ok {
		t.Error("bounds that contradict themselves are taken")
	}
	c.meet(1000, 1200, 10)
	if off, wrong, ok := c.meet(9000, 9100, 20); !ok || off != 9050 || wrong != 50 {
		t.Errorf("after a clock was set: %d ± %d, %t", off, wrong, ok)
	}
}
