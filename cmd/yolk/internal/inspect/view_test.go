package inspect

import (
	"strings"
	"testing"
	"time"
)

// at is a guest after a number of seconds, in which it has done so much.
func at(seconds, busy, requests, frames string) files {
	return files{
		"uptime":       seconds + ".50 1.00\n",
		"loadavg":      "0.25 0.10 0.05 1/1 1\n",
		"stat":         "cpu  9 9 9 9\ncpu0 " + busy + "0 0 0 900 0 0\ncpu1 " + busy + "0 0 0 900 100 0\nintr 5\n",
		"meminfo":      "MemTotal:         262144 kB\nMemFree:          251875 kB\nHugePages_Total:       0\n",
		"interrupts":   "           CPU0       CPU1\n 48:          1   1   line 4\n240:         " + requests + " 0  timer\n",
		"yolk/runtime": "goroutines 1234\nheap.alloc 1048576\nheap.next 4194304\nheap.objects 5000\nsys 67108864\nallocated " + requests + "\ngc.cycles 3\n",
		"yolk/virtio": "virtiofs root (virtio-mmio feb00e00)\n  high priority.requests 0\n  request 0.requests " + requests + "\n  request 0.inflight 2\n" +
			"virtionet 52:54:00:12:34:56 (virtio-mmio feb00a00): MTU 65000\n  received.frames " + frames + "\n  received.bytes " + frames + "000\n  sent.dropped 7\n",
		"yolk/fuse": "virtiofs root\n  READ " + requests + "\n  READ.errors 3\n  LOOKUP 1\n  server.nodes " + requests + "\nnames\n  held 5\n",
	}
}

func TestView(t *testing.T) {
	take := func(f files) *Sample {
		t.Helper()
		s, err := Take(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before, now := take(at("83", "1", "1000", "100")), take(at("85", "11", "41000", "300"))
	now.Time = before.Time.Add(2 * time.Second)
	about := About{Program: "server", Machine: "microvm", PID: 4711}
	got := strings.Join(View(about, before, now, 120), "\n")
	const want = `server on a microvm   process 4711   up 1m26s
processors  [████████████████████] 100 % of 2   load 0.25 0.10 0.05
memory      [█████···············] 64 MiB of 256 MiB taken by the runtime
heap        1 MiB in 5,000 objects   next collection at 4 MiB   3 collections   allocates 19.5 KiB/s
goroutines  1,234
interrupts  20,000/s: timer 20,000

REQUESTS                                   in flight   per second         in all
virtiofs root request 0                            2       20,000         41,000
FUSE virtiofs root, per second: READ 20,000
network     receives 97.7 KiB/s, 100 frames/s   sends 0 bytes/s, 0 frames/s   dropped 7`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, line := range View(about, nil, before, 40) {
		if n := len([]rune(line)); n > 40 {
			t.Errorf("%q has %d characters", line, n)
		}
	}
	// A machine that was started anew counts from 0.
	again := take(at("1", "0", "5", "0"))
	again.Time = now.Time.Add(time.Second)
	if got := strings.Join(View(about, now, again, 120), "\n"); !strings.Contains(got, "interrupts  0/s\n") || strings.Contains(got, "FUSE") {
		t.Errorf("started anew:\n%s", got)
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567.4: "1,234,567", -3: "0"} {
		if got := number(n); got != want {
			t.Errorf("%g: %s, want %s", n, got, want)
		}
	}
	for _, tt := range []struct {
		s    string
		n    int
		want string
	}{{"short", 5, "short"}, {"a long name", 7, "a l…ame"}, {"äöüäöü", 4, "äö…ü"}, {"abcdef", 0, "a…f"}} {
		if got := shorten(tt.s, tt.n); got != tt.want {
			t.Errorf("%q to %d: %q, want %q", tt.s, tt.n, got, tt.want)
		}
	}
}
