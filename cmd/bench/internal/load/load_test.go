package load

import (
	"testing"
	"time"
)

func TestCPUTime(t *testing.T) {
	if got := cpuTime("2000000000 17 3\n"); got != 2*time.Second {
		t.Errorf("got %v", got)
	}
	if got := cpuTime(""); got != 0 {
		t.Errorf("got %v of nothing", got)
	}
}

func TestPeak(t *testing.T) {
	if got := peak("Name:\tqemu\nVmPeak:\t  900 kB\nVmHWM:\t    12 kB\nVmRSS:\t 7 kB\n"); got != 12<<10 {
		t.Errorf("got %d", got)
	}
	for _, s := range []string{"", "Name:\tkthreadd\n", "Name:\tx\nVmHWM:"} {
		if got := peak(s); got != 0 {
			t.Errorf("got %d of %q", got, s)
		}
	}
}
