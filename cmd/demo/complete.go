package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// complete completes the word before the cursor, at pos in characters: commands
// at the start of a command, variables behind a $, and else files. It implements
// liner.WordCompleter: what it returns stands before the word, for the word, and
// behind it.
func (sh *shell) complete(line string, pos int) (head string, choices []string, tail string) {
	characters := []rune(line)
	before, tail := string(characters[:pos]), string(characters[pos:])
	start, first := lastWord(before)
	raw := before[start:]
	if i := strings.LastIndexByte(raw, '$'); i >= 0 && !strings.HasPrefix(raw, "'") {
		if name := raw[i+1:]; !strings.ContainsFunc(name, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			return before[:start+i+1], sh.variables(name), tail
		}
	}
	text, quote := unquote(raw)
	var names []string
	if first && !strings.Contains(text, "/") {
		names = sh.commandNames(text)
	} else {
		names = files(sh.runner.Dir, text)
	}
	for _, name := range names {
		choices = append(choices, requote(name, quote))
	}
	if len(choices) == 1 && !strings.HasSuffix(names[0], "/") {
		choices[0] += " "
	}
	return before[:start], choices, tail
}

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
		case strings.IndexByte("|;&(", c) >= 0:
			start, first = i+1, true
		case c == '<' || c == '>':
			start, first = i+1, false
		case c == ' ' || c == '\t':
			if i > start {
				word := line[start:i]
				// What opens a list of commands, and a variable of the command's, is
				// none itself.
				name, _, assigns := strings.Cut(word, "=")
				first = first && (syntax.IsKeyword(word) || assigns && syntax.ValidName(name))
			}
			start = i + 1
		}
	}
	return min(start, len(line)), first
}

// unquote is what the beginning of a word stands for, and the quote that is
// open at its end, or 0.
func unquote(raw string) (text string, quote byte) {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\\' && quote != '\'' && i+1 < len(raw):
			i++
			b.WriteByte(raw[i])
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), quote
}

// requote writes a name so that the shell reads it as that, with the quote that
// the user has begun.
func requote(name string, quote byte) string {
	end := string(quote)
	if strings.HasSuffix(name, "/") {
		end = "" // more comes behind a directory
	}
	switch {
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		word, err := syntax.Quote(name, syntax.LangBash)
		if err != nil {
			return name
		}
		return word
	case quote == '\'' && !strings.Contains(name, "'"):
		return "'" + name + end
	case quote == '"':
		return `"` + escape(name, "\"\\$`") + end
	}
	return escape(name, " \t'\"\\*?[]{}<>|&;#()$`!~=^")
}

// escape puts a backslash before each of the special characters.
func escape(s, special string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(special, s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// builtins are the commands of the interpreter itself.
var builtins = []string{
	"alias", "break", "builtin", "cd", "command", "continue", "declare", "dirs", "echo", "eval", "exec", "exit", "export",
	"false", "getopts", "let", "local", "popd", "printf", "pushd", "pwd", "read", "readarray", "readonly", "return", "set",
	"shift", "shopt", "source", "test", "time", "times", "trap", "true", "type", "unalias", "unset", "wait",
}

func (sh *shell) commandNames(prefix string) (names []string) {
	add := func(name string) {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	for _, c := range commands {
		add(c.name)
	}
	for _, name := range builtins {
		add(name)
	}
	for name := range sh.runner.Funcs {
		add(name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (sh *shell) variables(prefix string) (names []string) {
	add := func(name string) {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	for name := range sh.runner.Env.Each {
		add(name)
	}
	for name := range sh.runner.Vars {
		add(name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// files are the names that begin with a text, directories with a slash behind
// them.
func files(dir, text string) (names []string) {
	where, base := filepath.Split(text)
	entries, _ := os.ReadDir(at(dir, where+".")) // what could be read
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, base) || base == "" && strings.HasPrefix(name, ".") {
			continue
		}
		if info, err := os.Stat(at(dir, where+name)); err == nil && info.IsDir() {
			name += "/"
		}
		names = append(names, where+name)
	}
	return names
}
