package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/gdamore/tcell/v2"
	"mvdan.cc/sh/v3/syntax"
)

// watch runs a command again and again and shows what it prints.
func watch(p *process, args []string) error {
	f := p.flags()
	interval := f.Float64P("interval", "n", 2, "")
	f.SetInterspersed(false)
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() == 0 {
		return usageError("no command")
	}
	every, err := seconds(*interval)
	if err != nil {
		return err
	}
	text := commandLine(f.Args())
	return p.repeat(every, 0, func() (string, error) {
		var out bytes.Buffer
		sub := *p
		shown := &capped{w: &out, left: 1 << 20}
		sub.out, sub.errs = shown, shown
		sub.stdin = nil
		err := sub.shell(strings.NewReader(text), "watch", nil)
		if stopped := p.interrupted(); stopped != nil {
			return "", stopped
		}
		title := fmt.Sprintf("every %v: %s    %s", every, visible(text), time.Now().Format(time.TimeOnly))
		if err != nil {
			title += "    " + err.Error()
		}
		return title + "\n\n" + out.String(), nil
	})
}

// seconds is an interval of at least a tenth of a second.
func seconds(n float64) (time.Duration, error) {
	if math.IsNaN(n) || n < 0.1 || n > 1e6 {
		return 0, usageError("an interval is 0.1 to 1000000 seconds")
	}
	return time.Duration(n * float64(time.Second)), nil
}

// commandLine is what the shell is to run: one word is a text in its language,
// several are a command and its arguments.
func commandLine(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	var line []string
	for _, w := range words {
		word, err := syntax.Quote(w, syntax.LangBash)
		if err != nil {
			word = "''" // of a word with a zero byte, which no word has
		}
		line = append(line, word)
	}
	return strings.Join(line, " ")
}

// capped takes so many bytes and forgets the rest.
type capped struct {
	mu   sync.Mutex
	w    io.Writer
	left int
}

func (c *capped) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(b), c.left)
	c.left -= n
	if _, err := c.w.Write(b[:n]); err != nil {
		return 0, err
	}
	return len(b), nil
}

var errLeft = errors.New("left")

// repeat shows a text again and again, on the whole terminal if there is one and
// no number of rounds is given; 0 rounds are without end.
func (p *process) repeat(every time.Duration, rounds int, text func() (string, error)) error {
	if p.width == 0 || rounds > 0 {
		for i := 0; rounds == 0 || i < rounds; i++ {
			if i > 0 {
				if err := p.sleep(every); err != nil {
					return err
				}
			}
			s, err := text()
			if err != nil {
				return err
			}
			if _, err := io.WriteString(p.out, strings.TrimRight(s, "\n")+"\n\n"); err != nil {
				return err
			}
		}
		return nil
	}
	return p.onScreen(func(screen tcell.Screen) error {
		keys := make(chan tcell.Event)
		gone := make(chan struct{})
		defer close(gone)
		go func() {
			for {
				event := screen.PollEvent()
				select {
				case keys <- event:
				case <-gone:
					return
				}
				if event == nil {
					return
				}
			}
		}()
		for {
			s, err := text()
			if err != nil {
				return err
			}
			drawText(screen, s)
			if err := wait(screen, keys, every, s); err != nil {
				if errors.Is(err, errLeft) {
					return nil
				}
				return err
			}
		}
	})
}

// wait waits for the next round, or the key that leaves.
func wait(screen tcell.Screen, keys <-chan tcell.Event, every time.Duration, shown string) error {
	next := time.NewTimer(every)
	defer next.Stop()
	for {
		select {
		case <-next.C:
			return nil
		case event := <-keys:
			switch event := event.(type) {
			case nil:
				return errLeft
			case *tcell.EventKey:
				if quits(event) {
					return errLeft
				}
				return nil
			case *tcell.EventResize:
				screen.Sync()
				drawText(screen, shown)
			}
		}
	}
}

// drawText shows the beginning of a text.
func drawText(screen tcell.Screen, text string) {
	_, height := screen.Size()
	screen.Clear()
	row := 0
	for line := range strings.Lines(text) {
		if row == height {
			break
		}
		style := tcell.StyleDefault
		if row == 0 {
			style = style.Bold(true)
		}
		put(screen, row, 0, visible(strings.TrimSuffix(line, "\n")), style, nil)
		row++
	}
	screen.Show()
}
