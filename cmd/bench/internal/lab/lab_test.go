package lab

import (
	"io"
	"strings"
	"testing"
)

func TestLineWriter(t *testing.T) {
	var got []string
	w := &lineWriter{see: func(line string) { got = append(got, line) }}
	for _, part := range []string{"on", "e\r\ntwo\n", "rest"} {
		io.WriteString(w, part)
	}
	if strings.Join(got, "|") != "one|two" {
		t.Errorf("%q", got)
	}
}
