package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
)

// completer completes words at the Tab key: commands at the start, files behind
// it. A second Tab lists what there is to choose from.
type completer struct {
	list io.Writer // where to list
	last string    // what the last Tab could not complete
}

// key implements the AutoCompleteCallback of term.Terminal.
func (c *completer) key(line string, pos int, key rune) (newLine string, newPos int, ok bool) {
	if key != '\t' {
		c.last = ""
		return "", 0, false
	}
	done, choices := complete(line[:pos])
	if done == line[:pos] && len(choices) > 1 {
		if c.last == done {
			var names []string
			for _, choice := range choices {
				names = append(names, choice.text+strings.TrimSpace(choice.end))
			}
			io.WriteString(c.list, strings.Join(names, "  ")+"\n")
		}
		c.last = done
	}
	return done + line[pos:], len(done), true
}

// complete completes the last word of a line as far as there is one way only,
// and returns the choices.
func complete(line string) (done string, choices []choice) {
	start, first := lastWord(line)
	raw := line[start:]
	words, err := splitLine(raw)
	if err != nil { // within quotes, or behind a backslash
		return line, nil
	}
	text := ""
	if len(words) == 1 {
		text = words[0].text
	} else if len(words) > 1 || strings.HasPrefix(raw, "#") {
		return line, nil
	}
	if first {
		choices = completeCommand(text)
	} else {
		choices = completeFile(text)
	}
	if len(choices) == 0 {
		return line, nil
	}
	return line[:start] + extend(raw, text, choices), choices
}

// choice is a way to complete a word: what comes behind it.
type choice struct {
	text string // the whole name
	rest string // what is not typed yet
	end  string // a space, or a slash behind directories
}

// extend adds to a word what all choices have in common.
func extend(raw, text string, choices []choice) string {
	common, end := choices[0].rest, choices[0].end
	for _, c := range choices[1:] {
		n := 0
		for n < len(common) && n < len(c.rest) && common[n] == c.rest[n] {
			n++
		}
		common, end = common[:n], ""
	}
	for !validEnd(common) {
		common = common[:len(common)-1]
	}
	if common == "" && end == "" {
		return raw
	}
	return quoteWord(text+common) + end
}

// validEnd tells if s does not end within a character.
func validEnd(s string) bool { return s == strings.ToValidUTF8(s, "") }

// lastWord is where the last word of a line starts, and whether that is the
// name of a command.
func lastWord(line string) (start int, first bool) {
	first = true
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && quote != '\'':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '|' || c == ';':
			start, first = i+1, true
		case c == '<' || c == '>':
			start, first = i+1, false
		case c == ' ' || c == '\t':
			if i > start {
				first = false
			}
			start = i + 1
		}
	}
	return start, first
}

func completeCommand(text string) (choices []choice) {
	for _, c := range commands {
		if rest, ok := strings.CutPrefix(c.name, text); ok {
			choices = append(choices, choice{c.name, rest, " "})
		}
	}
	return choices
}

func completeFile(text string) (choices []choice) {
	dir, base := filepath.Split(text)
	if dir == "" {
		dir = "."
	}
	entries, _ := os.ReadDir(dir) // what could be read
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), base)
		if !ok || base == "" && strings.HasPrefix(e.Name(), ".") {
			continue
		}
		end := " "
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.IsDir() {
			end = "/"
		}
		choices = append(choices, choice{e.Name(), rest, end})
	}
	return choices
}
