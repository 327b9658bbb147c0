package qemu

import (
	"fmt"
	"strings"
	"testing"
)

// TestBootStages: what the kernel says of its boot is taken line by line, and of lines that
// are wrong, and too many, nothing.
func TestBootStages(t *testing.T) {
	c := &progress{main: make(chan struct{}), exited: make(chan struct{})}
	c.feed([]byte("yolk clock 1000\nyolk stage 5 arch/amd64: clock\nyolk stage x no number\nyolk stage -1 none\nyolk stage 7 main\n"))
	if got, want := fmt.Sprint(c.boot), "{1000 [{arch/amd64: clock 5} {main 7}]}"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	c.feed([]byte(strings.Repeat("yolk stage 1 x\n", 2*maxStages)))
	if n := len(c.boot.Stages); n != maxStages {
		t.Errorf("%d stages, want %d", n, maxStages)
	}
}

// failingWriter takes nothing.
type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, fmt.Errorf("full") }

// TestEventsFail: a trace that nobody takes is read to its end.
func TestEventsFail(t *testing.T) {
	port := strings.NewReader(strings.Repeat("x", 1<<20))
	e := receiveEvents(port, failingWriter{})
	<-e.done
	if port.Len() != 0 || e.err == nil || !strings.Contains(e.err.Error(), "the trace: full") {
		t.Errorf("%d bytes are left, %v", port.Len(), e.err)
	}
}
