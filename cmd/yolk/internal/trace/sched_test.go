package trace

import (
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/yolk/internal/trace/tracetest"
	"github.com/yolkos/yolk/kernel/trace/wire"
)

// Why goroutines do not run any more, in streams of tests.
const (
	leftUnknown  = 0
	leftRunnable = 1
	leftEnded    = 2
	leftReceive  = 20
)

// run has a CPU run a goroutine; left is why that before does not run any more.
func (g *guest) run(cpu uint16, id, left uint64) {
	g.g, g.cpu = 0, cpu
	g.put(wire.Sched, 0, 0, 0, id, left, 0, "")
	g.g = id
}

// wake has a goroutine be ready, by another one or, with 0, by a timer.
func (g *guest) wake(id, by uint64) {
	was := g.g
	g.g = 0
	g.put(wire.Sched, wire.Single, 0, 0, id, by, 0, "")
	g.g = was
}

// switches is a guest in which two CPUs run goroutines.
func switches() *guest {
	g := newGuest()
	g.run(0, 1, leftUnknown)
	g.call(5, 3, 0, 0, "")
	g.wake(7, 1)
	g.result(5, 0, 0)
	g.run(1, 7, leftUnknown)
	g.run(0, 9, leftReceive)
	g.call(500, 0, 'r', 0, "")
	g.put(wire.Idle, 0, 0, 0, 0, leftReceive, 0, "") // it runs none
	g.wake(9, 0)
	g.run(1, 9, leftRunnable) // it goes on there
	g.result(500, 0, 0)
	g.cpu = 0
	g.put(wire.Idle, wire.End, 0, 0, 3, 0, 0, "")
	g.put(wire.Idle, 0, 0, 0, 0, 0, 0, "") // its end is lost
	g.run(0, 1, leftUnknown)
	g.put(wire.Idle, 0, 0, 0, 0, 0, 0, "") // and that it runs none
	g.put(wire.Idle, wire.End, 0, 0, 3, 0, 0, "")
	g.run(0, 8, leftUnknown)
	g.run(0, 1, leftEnded)
	g.run(1, 0, leftReceive) // it runs none, and that it idles is not traced
	g.send(0)
	return g
}

// TestSched: a CPU runs a goroutine until it runs another one, or none. That ends for a reason, and begins because something
// woke it.
func TestSched(t *testing.T) {
	g := switches()
	want := `    0.000010 cpu0   goroutine 1
    0.000020 g1     fstat(3)
    0.000030 g1       wake goroutine 7
    0.000040 g1     … fstat = 0 <20µs>
    0.000050 cpu1   goroutine 7 (woken by goroutine 1 20µs ago)
    0.000060 cpu0   … goroutine 1 = chan receive <50µs>
    0.000060 cpu0   goroutine 9
    0.000070 g9     wait(0, 'r')
    0.000080 cpu0   … goroutine 9 = chan receive <20µs>
    0.000080 cpu0   idle
    0.000090 cpu0     wake goroutine 9
    0.000100 cpu1   … goroutine 7 = runnable <50µs>
    0.000100 cpu1   goroutine 9 (woken by a timer or the runtime 10µs ago)
    0.000110 g9     … wait = 0 <40µs>
    0.000120 cpu0   … idle = timers 3 <40µs>
    0.000130 cpu0   idle = ? (unfinished) <10µs>
    0.000140 cpu0   goroutine 1 = ? (unfinished) <10µs>
    0.000150 cpu0   idle = timers 3 <10µs>
    0.000170 cpu0   goroutine 8 = ended <10µs>
    0.000180 cpu0   goroutine 1
    0.000190 cpu1   … goroutine 9 = chan receive <90µs>
    0.000190 cpu0   … goroutine 1 = ? (unfinished) <10µs>
`
	if got := g.write(t, Text, "", 1<<20); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	threads := tracetest.Spans(t, g.write(t, Chrome, "", 1<<20))
	for thread, want := range map[string]string{
		"2 0": "goroutine 1 goroutine 9 idle idle goroutine 1 idle goroutine 8 goroutine 1",
		"2 1": "goroutine 7 goroutine 9",
		"1 1": "fstat",
		"1 9": "wait",
	} {
		var names []string
		for _, s := range threads[thread] {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("thread %s: %s, want %s", thread, got, want)
		}
	}
	lines := g.write(t, JSON, "sched", 1<<20)
	for _, want := range []string{
		`"ph":"B","kind":"sched","name":"goroutine 7","g":7,"cpu":1,"text":"goroutine 7 (woken by goroutine 1 20µs ago)","by":1,"waited":20000}`,
		`"ph":"E","kind":"sched","name":"goroutine 7","g":7,"cpu":1,"dur":50000,"left":"runnable"}`,
		`"ph":"i","kind":"sched","name":"goroutine 9","cpu":0,"depth":1,"text":"wake goroutine 9"}`,
		`"name":"goroutine 9","g":9,"cpu":1,"text":"goroutine 9 (woken by a timer or the runtime 10µs ago)","by":0,"waited":10000}`,
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("no %s in\n%s", want, lines)
		}
	}
	if n := strings.Count(lines, "\n"); strings.Contains(lines, "idle") || n != 16 {
		t.Errorf("%d lines of the switches alone:\n%s", n, lines)
	}
	// Where paths are asked for, wakes are in what goes on for them.
	g = newGuest()
	g.run(0, 1, leftUnknown)
	g.call(257, atFDCWD, 0, 0, "/x")
	g.wake(7, 1)
	g.result(257, 0, 3)
	g.wake(8, 1)
	g.send(0)
	if got := g.write(t, JSON, "sched,path=/x", 1<<20); strings.Count(got, "\n") != 1 || !strings.Contains(got, "wake goroutine 7") {
		t.Errorf("for a path:\n%s", got)
	}
}
