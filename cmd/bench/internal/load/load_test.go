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
