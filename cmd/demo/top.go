package main

import (
	"bytes"
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// top shows what the machine does, and what its goroutines wait for.
func top(p *process, args []string) error {
	f := p.flags()
	interval := f.Float64P("delay", "d", 1, "")
	rounds := f.UintP("rounds", "n", 0, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	every, err := seconds(*interval)
	if err != nil {
		return err
	}
	n := int(min(*rounds, 1<<30))
	if n == 0 && p.width == 0 {
		n = 1
	}
	last, err := p.read()
	if err != nil {
		return err
	}
	return p.repeat(every, n, func() (string, error) {
		now, err := p.read()
		if err != nil {
			return "", err
		}
		text := p.topText(last, now)
		last = now
		return text, nil
	})
}

// reading is what the machine has done so far.
type reading struct {
	at       time.Time
	up, idle time.Duration
	counts   map[string]uint64
}

// counters are the files whose numbers top follows, and what they count.
var counters = []struct{ file, prefix, title string }{
	{"interrupts", "", "Interrupts"},
	{"yolk/fuse", "", "Requests to the file server"},
	{"yolk/virtio", "sent.", "Network, sent"},
	{"yolk/virtio", "received.", "Network, received"},
}

func (p *process) read() (s reading, err error) {
	s.at = time.Now()
	if s.up, s.idle, err = p.uptime(); err != nil {
		return s, err
	}
	s.counts = make(map[string]uint64)
	for _, c := range counters {
		data, err := p.procFile(c.file)
		if err != nil {
			continue // a system that has none
		}
		for line := range strings.Lines(string(data)) {
			if name, n, ok := counter(line, c.file == "interrupts"); ok && strings.HasPrefix(name, c.prefix) {
				s.counts[c.title+"/"+strings.TrimPrefix(name, c.prefix)] += n
			}
		}
	}
	return s, nil
}

// counter reads a line of a file of counters: a name and a number, or, of
// interrupts, a number, counts by processor, and a name.
func counter(line string, interrupts bool) (name string, n uint64, ok bool) {
	fields := strings.Fields(line)
	if !interrupts {
		if len(fields) != 2 {
			return "", 0, false
		}
		n, err := strconv.ParseUint(fields[1], 10, 64)
		return fields[0], n, err == nil
	}
	if len(fields) < 3 || !strings.HasSuffix(fields[0], ":") {
		return "", 0, false
	}
	i := 1
	for ; i < len(fields); i++ {
		count, err := strconv.ParseUint(fields[i], 10, 64)
		if err != nil {
			break
		}
		n += count
	}
	return strings.Join(fields[i:], " "), n, i > 1 && i < len(fields)
}

func (p *process) topText(last, now reading) string {
	var out bytes.Buffer
	passed := max(now.at.Sub(last.at).Seconds(), 1e-6)
	busy := "since the start"
	up, idle := now.up, now.idle
	if d := now.up - last.up; d > 0 {
		up, idle, busy = d, now.idle-last.idle, "now"
	}
	cpus := time.Duration(runtime.NumCPU())
	used := 100 * (1 - min(1, idle.Seconds()/max((up*cpus).Seconds(), 0.01)))
	fmt.Fprintf(&out, "%s  up %v, %.0f%% of %d processors used %s\n", now.at.Format(time.TimeOnly), now.up, used, cpus, busy)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if info, err := p.meminfo(); err == nil {
		fmt.Fprintf(&out, "Memory: %s, %s free. ", size(info["MemTotal"]), size(info["MemFree"]))
	}
	fmt.Fprintf(&out, "Heap: %s in use, %d collections.\n", size(m.HeapInuse), m.NumGC)
	for _, c := range counters {
		if rates := rates(last, now, c.title+"/", passed); rates != "" {
			fmt.Fprintf(&out, "%s per second: %s\n", c.title, rates)
		}
	}
	table := *p
	table.out, table.color = &out, false
	out.WriteString("\n")
	table.table(goroutineTable(goroutines()), "0")
	return out.String()
}

// rates are the counters that have changed, by second, the quickest first.
func rates(last, now reading, prefix string, seconds float64) string {
	type rate struct {
		name string
		n    float64
	}
	var list []rate
	for name, n := range now.counts {
		if short, ok := strings.CutPrefix(name, prefix); ok && n > last.counts[name] {
			list = append(list, rate{short, float64(n-last.counts[name]) / seconds})
		}
	}
	slices.SortFunc(list, func(a, b rate) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name)) })
	var text []string
	for _, r := range list {
		text = append(text, fmt.Sprintf("%s %.0f", r.name, r.n))
	}
	return strings.Join(text, ", ")
}

// goroutineTable counts goroutines that do the same.
func goroutineTable(list []goroutine) [][]string {
	type kind struct{ state, function, creator string }
	counts := make(map[kind]int)
	for _, g := range list {
		counts[kind{g.state, g.function, g.creator}]++
	}
	kinds := make([]kind, 0, len(counts))
	for k := range counts {
		kinds = append(kinds, k)
	}
	slices.SortFunc(kinds, func(a, b kind) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a.function, b.function), strings.Compare(a.state, b.state), strings.Compare(a.creator, b.creator))
	})
	rows := [][]string{{fmt.Sprint(len(list)), "STATE", "GOROUTINES IN", "STARTED BY"}}
	for _, k := range kinds {
		rows = append(rows, []string{fmt.Sprint(counts[k]), k.state, k.function, k.creator})
	}
	return rows
}
