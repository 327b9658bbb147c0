package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"sync"

	"github.com/gdamore/tcell/v2"
)

// less shows a text page by page. It reads as far as it is looked at.
func less(p *process, args []string) error {
	f := p.flags()
	if err := f.Parse(args); err != nil {
		return err
	}
	if p.width == 0 {
		return cat(p, f.Args())
	}
	if f.NArg() == 0 && (p.stdin == nil || isTerminal(p.stdin)) {
		return usageError("no file")
	}
	return p.inputs(f.Args(), func(in input) error {
		if info, err := statInput(in); err == nil && info.IsDir() {
			return fmt.Errorf("%s: is a directory", in.name)
		}
		return p.onScreen(func(screen tcell.Screen) error {
			l := newLess(screen, in)
			defer l.text.close()
			return l.loop()
		})
	})
}

func isTerminal(f *os.File) bool {
	width, _ := terminalSize(f)
	return width > 0
}

func statInput(in input) (os.FileInfo, error) {
	if in.file == nil {
		return nil, os.ErrInvalid
	}
	return in.file.Stat()
}

// textBuffer is what has been read of a text.
type textBuffer struct {
	mu     sync.Mutex
	more   sync.Cond
	lines  []string
	size   int
	wanted int // lines that the reader may read
	posted bool
	ended  bool // all is there, or err
	err    error
	closed bool
}

// maxText is how much of a text less keeps, and maxLine how long its lines are,
// in bytes: what is longer continues in the next.
const (
	maxText = 64 << 20
	maxLine = 64 << 10
)

var errTooLong = errors.New("only the first 64 MiB are shown")

// read fills the buffer, and tells when there is something new.
func (t *textBuffer) read(r io.Reader, tell func()) {
	in := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := in.ReadSlice('\n')
		if n := len(line); n > 0 && line[n-1] == '\n' {
			line = line[:n-1]
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			err = nil
		}
		t.mu.Lock()
		if err == nil || len(line) > 0 {
			t.lines = append(t.lines, string(line))
			t.size += len(line) + 16
		}
		if err == nil && t.size > maxText {
			err = errTooLong
		}
		if err != nil {
			t.ended, t.err = true, notEOF(err)
		}
		told := t.posted
		t.posted = true
		for !t.ended && !t.closed && len(t.lines) >= t.wanted {
			if !told {
				tell()
				told = true
			}
			t.more.Wait()
		}
		stop := t.ended || t.closed
		t.mu.Unlock()
		if !told {
			tell()
		}
		if stop {
			return
		}
	}
}

// want has the reader read so many lines, and takes note of what is there.
func (t *textBuffer) want(n int) (lines []string, ended bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.posted = false
	if n > t.wanted {
		t.wanted = n
		t.more.Broadcast()
	}
	return t.lines, t.ended, t.err
}

func (t *textBuffer) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.more.Broadcast()
}

// lessView is the text on a screen.
type lessView struct {
	screen    tcell.Screen
	name      string
	text      *textBuffer
	top, left int
	pattern   *regexp.Regexp
	typing    bool // of a pattern
	typed     string
	message   string
	toEnd     bool // go to the end when it is known
	search    int  // the line that a search goes on from when there are more; -1: none
	found     int  // the line that is to be the first when there are enough behind it; -1: none
}

func newLess(screen tcell.Screen, in input) *lessView {
	l := &lessView{screen: screen, name: in.name, text: &textBuffer{}, search: -1, found: -1}
	l.text.more.L = &l.text.mu
	go l.text.read(in, func() { screen.PostEvent(tcell.NewEventInterrupt(nil)) })
	return l
}

// ahead is how many lines are read before they are looked at.
const ahead = 1000

func (l *lessView) loop() error {
	for {
		l.draw()
		switch event := l.screen.PollEvent().(type) {
		case nil:
			return nil
		case *tcell.EventResize:
			l.screen.Sync()
		case *tcell.EventKey:
			if l.typing {
				l.typePattern(event)
			} else if quits(event) {
				return nil
			} else {
				l.key(event)
			}
		}
	}
}

func (l *lessView) draw() {
	_, height := l.screen.Size()
	rows := max(height-1, 1)
	wanted := l.top + rows + ahead
	if l.toEnd || l.search >= 0 {
		wanted = 1 << 60
	}
	lines, ended, err := l.text.want(wanted)
	if l.search >= 0 {
		l.find(lines, ended)
	}
	if l.toEnd {
		l.top = len(lines)
		l.toEnd = !ended
	}
	if l.found >= 0 {
		l.top = l.found
		if ended || l.found <= len(lines)-rows {
			l.found = -1
		}
	}
	l.top = max(0, min(l.top, len(lines)-rows))
	l.screen.Clear()
	for row := range rows {
		if l.top+row >= len(lines) {
			put(l.screen, row, 0, "~", tcell.StyleDefault.Dim(true), nil)
			continue
		}
		text := visible(lines[l.top+row])
		var marks [][]int
		if l.pattern != nil {
			marks = l.pattern.FindAllStringIndex(text, -1)
		}
		put(l.screen, row, l.left, text, tcell.StyleDefault, marks)
	}
	put(l.screen, rows, 0, l.status(len(lines), rows, ended, err), tcell.StyleDefault.Reverse(true), nil)
	l.screen.Show()
	l.message = ""
}

func (l *lessView) status(lines, rows int, ended bool, err error) string {
	switch {
	case l.typing:
		return "/" + l.typed
	case l.message != "":
		return l.message
	case l.toEnd || l.search >= 0:
		return fmt.Sprintf("reading, %d lines (Ctrl-C or q leaves)", lines)
	case err != nil:
		return visible(err.Error())
	}
	name := visible(l.name)
	if name == "" {
		name = "standard input"
	}
	last := min(l.top+rows, lines)
	if ended && last == lines {
		return fmt.Sprintf("%s  lines %d-%d of %d (end)  q leaves, / searches", name, min(l.top+1, lines), last, lines)
	}
	of := ""
	if ended {
		of = fmt.Sprintf(" of %d", lines)
	}
	return fmt.Sprintf("%s  lines %d-%d%s  q leaves, / searches, n finds the next", name, l.top+1, last, of)
}

func (l *lessView) key(event *tcell.EventKey) {
	_, height := l.screen.Size()
	page := max(height-2, 1)
	l.toEnd, l.search, l.found = false, -1, -1
	switch event.Key() {
	case tcell.KeyDown, tcell.KeyEnter:
		l.top++
	case tcell.KeyUp:
		l.top--
	case tcell.KeyPgDn, tcell.KeyCtrlF:
		l.top += page
	case tcell.KeyPgUp, tcell.KeyCtrlB:
		l.top -= page
	case tcell.KeyHome:
		l.top = 0
	case tcell.KeyEnd:
		l.toEnd = true
	case tcell.KeyLeft:
		l.left = max(0, l.left-20)
	case tcell.KeyRight:
		l.left += 20
	case tcell.KeyRune:
		switch event.Rune() {
		case 'j', 'e':
			l.top++
		case 'k', 'y':
			l.top--
		case ' ', 'f':
			l.top += page
		case 'b':
			l.top -= page
		case 'd':
			l.top += page / 2
		case 'u':
			l.top -= page / 2
		case 'g', '<':
			l.top = 0
		case 'G', '>':
			l.toEnd = true
		case '/':
			l.typing, l.typed = true, ""
		case 'n':
			l.next()
		case 'N':
			l.previous()
		}
	}
}

// typePattern takes a key of what is searched for.
func (l *lessView) typePattern(event *tcell.EventKey) {
	switch event.Key() {
	case tcell.KeyRune:
		l.typed += string(event.Rune())
	case tcell.KeyBackspace, tcell.KeyBackspace2:
		if runes := []rune(l.typed); len(runes) > 0 {
			l.typed = string(runes[:len(runes)-1])
		}
	case tcell.KeyCtrlC, tcell.KeyEscape:
		l.typing = false
	case tcell.KeyEnter:
		l.typing = false
		if l.typed == "" {
			return
		}
		pattern, err := regexp.Compile(l.typed)
		if err != nil {
			l.message = err.Error()
			return
		}
		l.pattern = pattern
		l.search = l.top
	}
}

func (l *lessView) next() {
	if l.pattern == nil {
		l.message = "nothing was searched for: /"
		return
	}
	l.search = l.top + 1
}

func (l *lessView) previous() {
	if l.pattern == nil {
		l.message = "nothing was searched for: /"
		return
	}
	lines, _, _ := l.text.want(0)
	for i := min(l.top, len(lines)) - 1; i >= 0; i-- {
		if l.pattern.MatchString(visible(lines[i])) {
			l.top = i
			return
		}
	}
	l.message = "not found before this"
}

// find goes on with a search as far as the text is there.
func (l *lessView) find(lines []string, ended bool) {
	for ; l.search < len(lines); l.search++ {
		if l.pattern.MatchString(visible(lines[l.search])) {
			l.found, l.search = l.search, -1
			return
		}
	}
	if ended {
		l.search = -1
		l.message = "not found"
	}
}
