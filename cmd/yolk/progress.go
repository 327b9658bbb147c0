package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// progress is a line on a terminal that tells what is being compiled. It comes
// when a build takes a while, and goes with it.
type progress struct {
	out   *os.File
	width int
	timer *time.Ticker
	done  chan struct{}

	mu      sync.Mutex
	started time.Time
	pkg     string
	n       int
	shown   bool
}

// progressDelay is how long a build may take without a line about it.
const progressDelay = 500 * time.Millisecond

// newProgress returns a progress for a terminal, else nil, which does nothing.
// It is nil too where the commands are shown.
func newProgress(out *os.File, commands bool) *progress {
	size, err := unix.IoctlGetWinsize(int(out.Fd()), unix.TIOCGWINSZ)
	if err != nil || commands || os.Getenv("TERM") == "dumb" {
		return nil
	}
	p := &progress{
		out: out, width: int(size.Col), started: time.Now(),
		timer: time.NewTicker(progressDelay), done: make(chan struct{}),
	}
	go func() {
		for {
			select {
			case <-p.timer.C:
				p.show()
			case <-p.done:
				return
			}
		}
	}()
	return p
}

// compiling is what a Builder tells of the packages that it compiles.
func (p *progress) compiling() func(pkg string) {
	if p == nil {
		return nil
	}
	return func(pkg string) {
		p.mu.Lock()
		p.n++
		p.pkg = pkg
		shown := p.shown
		p.mu.Unlock()
		if shown {
			p.show()
		}
	}
}

func (p *progress) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := progressText(p.n, p.pkg, time.Since(p.started))
	if p.width > 1 && len(text) >= p.width {
		text = text[:p.width-1] // a line that wraps cannot be taken back
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", text)
	p.shown = true
}

func progressText(n int, pkg string, since time.Duration) string {
	if n == 0 {
		return fmt.Sprintf("yolk: building, %.0f s", since.Seconds())
	}
	return fmt.Sprintf("yolk: building, %.0f s, %d compiled: %s", since.Seconds(), n, pkg)
}

// end takes the line away.
func (p *progress) end() {
	if p == nil {
		return
	}
	p.timer.Stop()
	close(p.done)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
	p.shown = false
}
