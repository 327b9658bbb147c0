package qemu

import (
	"bytes"

	"github.com/yolkos/yolk/kernel/control"
)

// logLines finds the lines of the kernel's log among the bytes of the serial port, in
// which each begins with control.LogMark, also in the middle of another line.
type logLines struct {
	take func(line []byte) (show bool) // gets each, with its end
	in   bool                          // a line has begun
	line []byte                        // what there is of it
}

// maxLogLine is how long a line may be, in bytes: the guest is a stranger. A longer one
// counts as several.
const maxLogLine = 64 << 10

// split takes the lines out of p and returns what else is to be shown. What is not in
// a line is kept by r, unless that is nil.
func (l *logLines) split(p []byte, r *recorder) (rest []byte) {
	for len(p) > 0 {
		if !l.in {
			var before []byte
			before, p, l.in = bytes.Cut(p, []byte{control.LogMark})
			rest = append(rest, before...)
			if r != nil {
				_, _ = r.console.Write(before)
			}
			continue
		}
		n := bytes.IndexByte(p, '\n') + 1
		ends := n > 0
		if room := maxLogLine - len(l.line); !ends || n > room {
			n, ends = min(len(p), room), false
		}
		l.line, p = append(l.line, p[:n]...), p[n:]
		if ends || len(l.line) == maxLogLine {
			rest = append(rest, l.end()...)
			l.in = !ends
		}
	}
	return rest
}

// end takes what there is of a line, and returns what of it is to be shown.
func (l *logLines) end() (show []byte) {
	if len(l.line) > 0 && l.take(l.line) {
		show = bytes.Clone(l.line)
	}
	l.line, l.in = l.line[:0], false
	return show
}
