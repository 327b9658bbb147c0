package inspect

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// View shows what has happened between two samples of a machine, in lines of at most
// width characters. Before is nil for the first sample.
func View(about About, before, now *Sample, width int) []string {
	v := &view{before: before, now: now, width: max(width, 20)}
	if before != nil {
		v.seconds = now.Time.Sub(before.Time).Seconds()
	} else {
		v.before = &Sample{}
	}
	v.add("%s   process %d   up %s", about.Title(), about.PID, now.Uptime.Round(time.Second))
	v.processors()
	v.memory()
	v.interrupts()
	v.queues()
	v.fuse()
	v.network()
	return v.lines
}

type view struct {
	before, now *Sample
	seconds     float64 // between the two; 0: there is but one
	width       int
	lines       []string
}

func (v *view) add(format string, args ...any) {
	line := []rune(fmt.Sprintf(format, args...))
	if len(line) > v.width {
		line = append(line[:v.width-1], '…')
	}
	v.lines = append(v.lines, string(line))
}

// rate returns how much a counter grows in a second. One that is smaller than before was
// started anew.
func (v *view) rate(before, now uint64) float64 {
	if v.seconds <= 0 || now < before {
		return 0
	}
	return float64(now-before) / v.seconds
}

// number writes a number with marks between thousands.
func number(n float64) string {
	digits := strconv.FormatFloat(max(n, 0), 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// barWidth is the length of a bar, in characters.
const barWidth = 20

// bar draws a part of a whole.
func bar(part float64) string {
	n := int(min(max(part, 0), 1)*barWidth + 0.5)
	return "[" + strings.Repeat("█", n) + strings.Repeat("·", barWidth-n) + "]"
}

func (v *view) processors() {
	used := 0.0
	if all := v.now.Busy + v.now.Idle - v.before.Busy - v.before.Idle; all > 0 {
		used = min(max((v.now.Busy-v.before.Busy)/all, 0), 1)
	}
	v.add("processors  %s %3.0f %% of %d   load %s", bar(used), 100*used, v.now.CPUs, v.now.Load)
}

func (v *view) memory() {
	r, total := v.now.Runtime, v.now.Memory["MemTotal"]
	part := 0.0
	if total > 0 {
		part = float64(r["sys"]) / float64(total)
	}
	v.add("memory      %s %s of %s taken by the runtime", bar(part), Size(r["sys"]), Size(total))
	v.add("heap        %s in %s objects   next collection at %s   %s collections   allocates %s/s", Size(r["heap.alloc"]), number(float64(r["heap.objects"])),
		Size(r["heap.next"]), number(float64(r["gc.cycles"])), Size(uint64(v.rate(v.before.Runtime["allocated"], r["allocated"]))))
	v.add("goroutines  %s", number(float64(r["goroutines"])))
}

func (v *view) interrupts() {
	var list []string
	all := 0.0
	for _, c := range v.now.Interrupts {
		was := uint64(0)
		for _, b := range v.before.Interrupts {
			if b.Name == c.Name {
				was = b.N
			}
		}
		if r := v.rate(was, c.N); r > 0 {
			all += r
			list = append(list, fmt.Sprintf("%s %s", c.Name, number(r)))
		}
	}
	text := ""
	if len(list) > 0 {
		text = ": " + strings.Join(list, "   ")
	}
	v.add("interrupts  %s/s%s", number(all), text)
}

// queues shows the requests of each queue of a device: in flight, in a second, and in all.
func (v *view) queues() {
	v.add("")
	v.add("%-42s %9s %12s %14s", "REQUESTS", "in flight", "per second", "in all")
	for _, g := range v.now.Devices {
		old := groupNamed(v.before.Devices, g.Name)
		name, _, _ := strings.Cut(g.Name, " (") // its address follows
		for _, c := range g.Counters {
			queue, ok := strings.CutSuffix(c.Name, ".requests")
			if !ok || c.N == 0 {
				continue
			}
			v.add("%-42s %9s %12s %14s", shorten(name, 41-len(queue))+" "+queue, number(float64(g.get(queue+".inflight"))), number(v.rate(old.get(c.Name), c.N)), number(float64(c.N)))
		}
	}
}

// shorten cuts the middle out of a text of more than n characters.
func shorten(s string, n int) string {
	r := []rune(s)
	if n = max(n, 3); len(r) <= n {
		return s
	}
	return string(r[:n/2]) + "…" + string(r[len(r)-(n-n/2-1):])
}

// mostOperations is how many kinds of FUSE requests are shown of a file system.
const mostOperations = 6

func (v *view) fuse() {
	for _, g := range v.now.Fuse {
		old := groupNamed(v.before.Fuse, g.Name)
		type op struct {
			name string
			rate float64
		}
		var ops []op
		for _, c := range g.Counters {
			// Operations have names in capitals; those with a dot are other counters.
			if r := v.rate(old.get(c.Name), c.N); r > 0 && strings.ToUpper(c.Name) == c.Name {
				ops = append(ops, op{c.Name, r})
			}
		}
		slices.SortStableFunc(ops, func(a, b op) int { return cmp.Compare(b.rate, a.rate) })
		var words []string
		for _, o := range ops[:min(len(ops), mostOperations)] {
			words = append(words, o.name+" "+number(o.rate))
		}
		if len(words) > 0 {
			v.add("FUSE %s, per second: %s", g.Name, strings.Join(words, "   "))
		}
	}
}

func (v *view) network() {
	for _, g := range v.now.Devices {
		if !slices.ContainsFunc(g.Counters, func(c Counter) bool { return c.Name == "received.frames" }) {
			continue
		}
		old := groupNamed(v.before.Devices, g.Name)
		rate := func(name string) float64 { return v.rate(old.get(name), g.get(name)) }
		v.add("network     receives %s/s, %s frames/s   sends %s/s, %s frames/s   dropped %s", Size(uint64(rate("received.bytes"))), number(rate("received.frames")),
			Size(uint64(rate("sent.bytes"))), number(rate("sent.frames")), number(float64(g.get("received.dropped")+g.get("sent.dropped"))))
	}
}
