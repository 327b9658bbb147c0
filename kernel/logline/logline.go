// Package logline is the form of log lines as JSON, an object a line, that the kernel
// writes and that yolk writes between them.
package logline

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The levels.
const (
	Info  = "info"
	Error = "error" // something has failed, though the machine may go on
)

// Line is a line of a log.
type Line struct {
	Time      time.Time     // by the wall clock
	Uptime    time.Duration // since the machine was started; less than 0: it is not said
	Level     string
	Component string // what the line is about
	Message   string
}

// Split divides a line that begins with what it is about: one word, as in "clock: …".
// Of a device, as in "virtiofs root (virtio-mmio feb00a00): …", the component is the first
// word, and the message is all. Other lines are about whole.
func Split(line, whole string) (component, message string) {
	name, rest, ok := strings.Cut(line, ": ")
	word, _, several := strings.Cut(name, " ")
	switch {
	case !ok || word == "":
		return whole, line
	case !several:
		return name, rest
	case strings.HasSuffix(name, ")"):
		return word, line
	}
	return whole, line
}

// Append appends the line as JSON (RFC 8259), with its end: time as of RFC 3339 with
// nanoseconds, in UTC, uptime in seconds, and the others, which are texts.
func (l *Line) Append(b []byte) []byte {
	b = l.Time.UTC().AppendFormat(append(b, `{"time":"`...), "2006-01-02T15:04:05.000000000Z07:00")
	b = append(b, '"')
	if l.Uptime >= 0 {
		b = strconv.AppendFloat(append(b, `,"uptime":`...), l.Uptime.Seconds(), 'f', 6, 64)
	}
	b = appendText(append(b, `,"level":`...), l.Level)
	b = appendText(append(b, `,"component":`...), l.Component)
	b = appendText(append(b, `,"message":`...), l.Message)
	return append(b, "}\n"...)
}

// appendText appends a string of JSON. What is no UTF-8 is replaced.
func appendText(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ' || r == 0x7f:
			b = append(b, `\u00`...)
			b = append(b, digits[r>>4], digits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
