package qemu

import (
	"bytes"

	"github.com/yolkos/yolk/kernel/control"
)

// logLines finds the lines of the kernel's log among the bytes of the serial port, in
// which each begins with control.LogMark, also in the middle of another line.
type logLines struct {
	take func(line []byte) (show bool) // gets each, with its end
	line []byte                        // what there is of one; nil: none has begun
}

// maxLogLine is how long a line may be, in bytes: the guest is a stranger. A longer one
// counts as several.
const maxLogLine = 64 << 10

// split takes the lines out of p and returns what else is to be shown.
func (l *logLines) split(p []byte) (rest []byte) {
	for len(p) > 0 {
		if l.line == nil {
			before, after, found := bytes.Cut(p, []byte{control.LogMark})
			rest, p = append(rest, before...), after
			if found {
				l.line = make([]byte, 0, 128)
			}
			continue
		}
		n := bytes.IndexByte(p, '\n') + 1
		whole := n > 0
		if !whole {
			n = len(p)
		}
		if room := maxLogLine - len(l.line); n > room {
			n, whole = room, false
		}
		l.line, p = append(l.line, p[:n]...), p[n:]
		if whole {
			rest = append(rest, l.end()...)
		} else if len(l.line) == maxLogLine {
			rest = append(rest, l.end()...)
			l.line = make([]byte, 0, 128)
		}
	}
	return rest
}

// end takes what has begun as a line, and returns what is to be shown.
func (l *logLines) end() []byte {
	line := l.line
	l.line = nil
	if len(line) == 0 || !l.take(line) {
		return nil
	}
	return line
}
