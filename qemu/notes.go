package qemu

import (
	"io"
	"strings"
	"time"

	"github.com/yolkos/yolk/kernel/logline"
)

// noteStart is what yolk's own lines begin with as text.
const noteStart = "yolk: "

// jsonNotes writes yolk's own lines as JSON.
type jsonNotes struct {
	w     io.Writer
	level string
}

// JSONNotes returns a writer of yolk's own lines, one with each write, which writes them
// to w as JSON.
func JSONNotes(w io.Writer, level string) io.Writer { return jsonNotes{w, level} }

func (n jsonNotes) Write(p []byte) (int, error) {
	text := strings.TrimSuffix(strings.TrimPrefix(string(p), noteStart), "\n")
	l := logline.Line{Time: time.Now(), Uptime: -1, Level: n.level, Component: "yolk", Message: text}
	if _, err := n.w.Write(l.Append(nil)); err != nil {
		return 0, err
	}
	return len(p), nil
}
