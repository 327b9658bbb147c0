package trace

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/yolkos/yolk/cmd/yolk/internal/svg"
)

// svgWriter draws a trace: a bar for each span, with those that lie in it below. Its
// spans are those of a trace for Chrome.
type svgWriter struct {
	*chromeWriter
	out    io.Writer
	tracks map[[2]uint64]*svgTrack
	spans  int
}

// svgTrack is a thread of such a trace.
type svgTrack struct {
	name  string
	spans []chromeEvent
}

// maxDrawn is how many spans are drawn.
const maxDrawn = 2000

// Measures of the picture, in pixels.
const (
	svgWidth  = 1000
	svgLeft   = 110
	svgRight  = 40
	svgRow    = 18
	svgTop    = 40
	svgLegend = 105 // of each kind's name
)

func newSVGWriter(w io.Writer) *svgWriter {
	s := &svgWriter{chromeWriter: newChromeWriter(io.Discard), out: w, tracks: map[[2]uint64]*svgTrack{}}
	s.draw = s.take
	return s
}

func (s *svgWriter) take(e chromeEvent) {
	k := [2]uint64{uint64(e.PID), e.TID}
	t := s.tracks[k]
	if t == nil {
		t = &svgTrack{}
		s.tracks[k] = t
	}
	switch {
	case e.Phase == "M" && e.Name == "thread_name":
		t.name = fmt.Sprint(e.Args["name"])
	case e.Phase == "X":
		if s.spans++; s.spans <= maxDrawn {
			t.spans = append(t.spans, e)
		}
	}
}

func (s *svgWriter) close(lost uint64) error {
	var keys [][2]uint64
	from, to := int64(1<<62), int64(0)
	for k, t := range s.tracks {
		if len(t.spans) == 0 {
			continue
		}
		keys = append(keys, k)
		for _, e := range t.spans {
			from, to = min(from, e.from), max(to, e.to)
		}
	}
	slices.SortFunc(keys, func(a, b [2]uint64) int { return slices.Compare(a[:], b[:]) })
	to = max(to, from+1)
	x := func(ns int64) float64 {
		return svgLeft + (svgWidth-svgLeft-svgRight)*float64(ns-from)/float64(to-from)
	}
	var b bytes.Buffer
	drawn := map[string]bool{}
	y := svgTop
	for _, k := range keys {
		t := s.tracks[k]
		slices.SortStableFunc(t.spans, func(a, b chromeEvent) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
		fmt.Fprintf(&b, `<text x="8" y="%d">%s</text>`+"\n", y+svgRow-5, svg.Escape(t.name))
		var open []chromeEvent
		rows := 0
		for _, e := range t.spans {
			for len(open) > 0 && open[len(open)-1].to <= e.from {
				open = open[:len(open)-1]
			}
			drawn[e.Cat] = true
			bar(&b, e, x(e.from), x(e.to), y+svgRow*len(open))
			open = append(open, e)
			rows = max(rows, len(open))
		}
		y += svgRow*rows + 8
	}
	height := y + 28
	head := svg.Head(svgWidth, height)
	note := ""
	if lost > 0 {
		note += fmt.Sprintf(", %d events lost", lost)
	}
	if s.spans > maxDrawn {
		note += fmt.Sprintf(", the first %d of %d spans", maxDrawn, s.spans)
	}
	if len(keys) > 0 {
		head += fmt.Sprintf(`<text x="8" y="22">%s from %.6f s after the boot on%s</text>`+"\n", time.Duration(to-from).Round(time.Microsecond/10), float64(from)/1e9, note)
		for i := range 6 {
			tick := from + (to-from)*int64(i)/5
			head += fmt.Sprintf(`<line x1="%.1f" y1="%d" x2="%.1[1]f" y2="%[3]d" stroke="#dddddd"/><text x="%.1[1]f" y="%[4]d" fill="#6e6e6e" text-anchor="middle">%[5]s µs</text>`+"\n",
				x(tick), svgTop-6, height-24, height-8, strconv.FormatFloat(float64(tick-from)/1e3, 'f', 0, 64))
		}
	}
	at := svgWidth - svgRight
	for _, l := range legend {
		if drawn[l.kind] {
			at -= svgLegend
		}
	}
	for _, l := range legend {
		if drawn[l.kind] {
			head += fmt.Sprintf(`<rect x="%d" y="12" width="12" height="12" fill="%s"/><text x="%d" y="22" fill="#6e6e6e">%s</text>`+"\n", at, colours[l.kind], at+17, l.text)
			at += svgLegend
		}
	}
	_, err := fmt.Fprintf(s.out, "%s%s</svg>\n", head, b.Bytes())
	return err
}

// bar draws a span from x to end. Its name is on it where there is room; what it is tells a
// browser who points at it.
func bar(b *bytes.Buffer, e chromeEvent, x, end float64, y int) {
	w := max(end-x, 0.7)
	fmt.Fprintf(b, `<g><title>%s</title><rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s" stroke="white" stroke-width="0.5"/>`,
		svg.Escape(fmt.Sprintf("%s: %v\n%v %v", e.Name, time.Duration(e.to-e.from), orNothing(e.Args["what"]), orNothing(e.Args["result"]))), x, y, w, svgRow-2, colours[e.Cat])
	// A letter has some 6.5 pixels.
	if room := int((w - 6) / 6.5); room >= 3 {
		name := e.Name
		if len(name) > room {
			name = name[:room-1] + "…"
		}
		fmt.Fprintf(b, `<text x="%.1f" y="%d" fill="white">%s</text>`, x+3, y+svgRow-6, svg.Escape(name))
	}
	b.WriteString("</g>\n")
}

func orNothing(v any) any {
	if v == nil {
		return ""
	}
	return v
}

// colours are those of the kinds of spans. They are told apart by those who do not see
// red and green, too.
var colours = map[string]string{"call": "#0072b2", "fuse": "#d55e00", "notify": "#6e6e6e", "server": "#009e73", "ring": "#cc79a7", "sched": "#999999", "running": "#56b4e9", "idle": "#bbbbbb"}

// legend has the words for the kinds of spans, in the order in which they nest.
var legend = []struct{ kind, text string }{
	{"call", "system call"}, {"fuse", "FUSE request"}, {"notify", "notification"}, {"ring", "ring, interrupt"}, {"server", "file server"}, {"sched", "scheduler"}, {"running", "running"}, {"idle", "idle"},
}
