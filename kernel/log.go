package kernel

import (
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/yolkos/yolk/kernel/control"
	"github.com/yolkos/yolk/kernel/logline"
)

// logSize is how many bytes of messages are kept for /proc/kmsg.
const logSize = 64 << 10

// messages is the kernel's log: lines with the time since the start, the latest
// logSize bytes of which are kept.
type messages struct {
	mu      sync.Mutex
	ring    []byte
	console io.Writer // nil: nowhere
	marked  bool      // lines begin with control.LogMark there
	json    bool      // they are JSON there
	now     func() time.Duration
}

// Print adds a line, which must not contain a line break.
func (m *messages) Print(line string) { m.print(logline.Info, line) }

// Error is Print for what went wrong.
func (m *messages) Error(line string) { m.print(logline.Error, line) }

func (m *messages) print(level, line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	up := m.now()
	us := up.Microseconds()
	text := append(padLeft(nil, '[', strconv.FormatInt(us/1e6, 10), ' ', 6), '.')
	text = append(padLeft(text, 0, strconv.FormatInt(us%1e6, 10), '0', 6), "] "...)
	for i := 0; i < len(line); i++ {
		if line[i] < ' ' || line[i] == 0x7f { // names and texts of the host end up here
			text = append(text, '?')
			continue
		}
		text = append(text, line[i])
	}
	text = append(text, '\n')
	m.ring = append(m.ring, text...)
	if over := len(m.ring) - logSize; over > 0 {
		for over < len(m.ring) && m.ring[over-1] != '\n' {
			over++ // whole lines
		}
		m.ring = append(m.ring[:0], m.ring[over:]...)
	}
	if m.console == nil {
		return
	}
	if m.json {
		l := logline.Line{Time: time.Now(), Uptime: up, Level: level}
		l.Component, l.Message = logline.Split(line, "kernel")
		text = l.Append(nil)
	}
	if m.marked {
		text = append([]byte{control.LogMark}, text...)
	}
	m.console.Write(text)
}

// Append appends the messages kept to b.
func (m *messages) Append(b []byte) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append(b, m.ring...)
}

// padLeft appends first, unless 0, and s, filled up to width.
func padLeft(b []byte, first byte, s string, fill byte, width int) []byte {
	if first != 0 {
		b = append(b, first)
	}
	for n := len(s); n < width; n++ {
		b = append(b, fill)
	}
	return append(b, s...)
}
