package main

import (
	"errors"
	"path/filepath"
	"strings"
)

// word is a part of a command line: an argument, or one of the operators.
type word struct {
	text     string
	operator bool
	pattern  string // for filepath.Glob if there is an unquoted * ? or [
}

// operators separate words; longer ones come first.
var operators = []string{">>", ">", "<", "|", ";"}

// splitLine divides a line into words. Quotes '…' and "…" and a backslash keep
// the characters that otherwise have a meaning; # begins a comment.
func splitLine(line string) ([]word, error) {
	var words []word
	for i := 0; ; {
		for i < len(line) && (line[i] == ' ' || line[i] == '\t') {
			i++
		}
		if i == len(line) || line[i] == '#' {
			return words, nil
		}
		if op := operatorAt(line[i:]); op != "" {
			words = append(words, word{text: op, operator: true})
			i += len(op)
			continue
		}
		w, n, err := firstWord(line[i:])
		if err != nil {
			return nil, err
		}
		words = append(words, w)
		i += n
	}
}

func operatorAt(s string) string {
	for _, op := range operators {
		if strings.HasPrefix(s, op) {
			return op
		}
	}
	return ""
}

// firstWord takes the word that s starts with and tells its length in s.
func firstWord(s string) (w word, n int, err error) {
	var text, pattern strings.Builder
	glob := false
	quote := byte(0)
	literal := func(c byte) {
		text.WriteByte(c)
		if strings.IndexByte(`*?[\`, c) >= 0 {
			pattern.WriteByte('\\')
		}
		pattern.WriteByte(c)
	}
	for ; n < len(s); n++ {
		c := s[n]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == '\'' || quote == '"' && c != '\\':
			literal(c)
		case c == '\\':
			if n++; n == len(s) {
				return w, n, errors.New(`a backslash at the end of the line`)
			}
			literal(s[n])
		case c == '\'' || c == '"':
			quote = c
		case c == ' ' || c == '\t' || operatorAt(s[n:]) != "":
			return finish(&text, &pattern, glob), n, nil
		case strings.IndexByte("*?[", c) >= 0:
			glob = true
			text.WriteByte(c)
			pattern.WriteByte(c)
		default:
			literal(c)
		}
	}
	if quote != 0 {
		return w, n, errors.New("a " + string(quote) + " without its end")
	}
	return finish(&text, &pattern, glob), n, nil
}

func finish(text, pattern *strings.Builder, glob bool) word {
	w := word{text: text.String()}
	if glob {
		w.pattern = pattern.String()
	}
	return w
}

// expand returns the names that a word stands for: the files that match its
// pattern, or its text if there is none.
func (w word) expand() []string {
	if w.pattern == "" {
		return []string{w.text}
	}
	matches, err := filepath.Glob(w.pattern)
	if err != nil {
		return []string{w.text} // no valid pattern
	}
	var names []string
	hidden := strings.HasPrefix(filepath.Base(w.pattern), ".")
	for _, m := range matches {
		if hidden || !strings.HasPrefix(filepath.Base(m), ".") {
			names = append(names, m)
		}
	}
	if len(names) == 0 {
		return []string{w.text}
	}
	return names
}

// quoteWord writes a name so that splitLine gives it back.
func quoteWord(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(" \t'\"\\*?[<>|;#", s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
