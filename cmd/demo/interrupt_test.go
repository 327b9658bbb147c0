package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mvdan.cc/sh/v3/interp"
)

// screen is what a terminal shows, for a test that waits for it.
type screen struct {
	mu   sync.Mutex
	more sync.Cond
	text bytes.Buffer
}

func newScreen() *screen {
	s := &screen{}
	s.more.L = &s.mu
	return s
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.more.Broadcast()
	return s.text.Write(p)
}

// wait waits until the screen shows a text behind what it has shown, and takes
// all up to there away.
func (s *screen) wait(t *testing.T, text string) {
	t.Helper()
	timer := time.AfterFunc(2*time.Minute, func() { // only reached by a fault
		s.more.Broadcast()
	})
	defer timer.Stop()
	start := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if i := strings.Index(s.text.String(), text); i >= 0 {
			s.text.Next(i + len(text))
			return
		}
		if time.Since(start) > 2*time.Minute {
			t.Fatalf("the screen shows %q, without %q", &s.text, text)
		}
		s.more.Wait()
	}
}

// Whatever runs ends with its context, and the shell goes on, with what it knew.
func TestInterrupt(t *testing.T) {
	s := newTestShell(t)
	if err := os.MkdirAll("d/e", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("script", []byte("cat /dev/zero | wc\necho no\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	want(t, s, "v=kept", "")
	for _, line := range []string{
		"cat /dev/zero > /dev/null", "cat /dev/zero | cat | wc", "cp /dev/zero /dev/null", "sum /dev/zero; echo no",
		"source ./script", "./script", "sh -c 'sleep 1000; echo no'", "hexdump /dev/zero > /dev/null", "yes > /dev/null", "yes | cat > /dev/null",
		"sleep 1000 || echo no", "while true; do true; done", "while sleep 0.01; do :; done", "cat fifo", "cat < fifo", "echo x > fifo", "read x < fifo",
		"cat /dev/zero | sleep 1000", "sleep 1000 | cat", "watch -n 0.1 true > /dev/null", "tail -f script > /dev/null", "bench -n 1000000 sleep 0.01",
		"bench -n 1 sleep 1000", "cat /dev/zero | grep x", "cat /dev/zero | sort", "sleep 1000 & wait", "x=$(sleep 1000); echo no", "f() { sleep 1000; }; f; echo no",
		"seq 1 9999999999 > /dev/null", "tee < /dev/zero > /dev/null", "uniq /dev/zero", "tail /dev/zero",
	} {
		if err := syscall.Mkfifo("fifo", 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, stop)
		var out output
		if err := interp.StdIO(nil, &out, &out)(s.runner); err != nil {
			t.Fatal(err)
		}
		s.errs = &out
		ended := make(chan int, 1)
		go func() { ended <- s.script(ctx, strings.NewReader(line), "test") }()
		select {
		case status := <-ended:
			if status != interrupted || strings.Contains(out.text.String(), "no") {
				t.Errorf("%s: status %d, %q", line, status, &out.text)
			}
		case <-time.After(2 * time.Minute):
			t.Fatalf("%s does not end", line)
		}
		for _, flag := range []int{os.O_RDONLY, os.O_WRONLY} { // lets go of who was left behind
			if f, err := os.OpenFile("fifo", flag|syscall.O_NONBLOCK, 0); err == nil {
				f.Close()
			}
		}
		if err := os.Remove("fifo"); err != nil {
			t.Fatal(err)
		}
		want(t, s, "echo $v", "kept\n")
	}
}
