package main

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// colors are the sequences that set colours and the like (SGR, ECMA-48 8.3.117).
var colors = regexp.MustCompile("\x1b\\[[0-9;:]*m")

// visible makes a line one that can be put on a screen as it is: without colours,
// with spaces for tabs, ^X for control characters and <XX> for bytes that are no
// text.
func visible(line string) string {
	if strings.Contains(line, "\x1b[") {
		line = colors.ReplaceAllString(line, "")
	}
	var b strings.Builder
	column := 0
	for len(line) > 0 {
		r, n := utf8.DecodeRuneInString(line)
		text := line[:n]
		switch {
		case r == utf8.RuneError && n == 1:
			const hex = "0123456789ABCDEF"
			text = "<" + string(hex[line[0]>>4]) + string(hex[line[0]&15]) + ">"
		case r == '\t':
			text = strings.Repeat(" ", 8-column%8)
		case r < ' ' || r == 0x7f:
			text = "^" + string(r^'@')
		case unicode.IsControl(r) || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			text = "?" // also what turns the direction of text
		}
		b.WriteString(text)
		column += utf8.RuneCountInString(text)
		line = line[n:]
	}
	return b.String()
}
