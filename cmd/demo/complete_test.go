package main

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

func TestComplete(t *testing.T) {
	sh := newTestShell(t)
	for _, dir := range []string{"dir/inner", "with space"} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"dir/file one", "dir/file two", "яйцо", "яблоко", ".hidden", "q'uote", "new\nline", "bad\xff", "a$b"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Skipf("a name that this file system does not take: %v", err)
		}
	}
	want(t, sh, "my_function() { :; }; myvar=1", "")
	for _, c := range []struct{ line, head, choices, tail string }{
		{"hexd", "", "hexdump ", ""},
		{"nosuch", "", "", ""},
		{"uni", "", "uniq ", ""},
		{"my_f", "", "my_function ", ""},
		{"hex| rest", "", "hexdump ", " rest"},
		{"ls d", "ls ", "dir/", ""},
		{"ls dir", "ls ", "dir/", ""},
		{"ls dir/i", "ls ", "dir/inner/", ""},
		{"ls dir/f", "ls ", `dir/file\ one;dir/file\ two`, ""},
		{`ls dir/file\ o`, "ls ", `dir/file\ one `, ""},
		{"ls 'dir/f", "ls ", "'dir/file one';'dir/file two'", ""},
		{"ls 'dir/file o", "ls ", "'dir/file one' ", ""},
		{`ls "a`, "ls ", `"a\$b" `, ""},
		{`ls "wi`, "ls ", `"with space/`, ""},
		{"ls w", "ls ", `with\ space/`, ""},
		{"ls я", "ls ", "яблоко;яйцо", ""},
		{"ls .h", "ls ", ".hidden ", ""},
		{"ls 'q", "ls ", `q\'uote `, ""},
		{"ls new", "ls ", `$'new\nline' `, ""},
		{"ls bad", "ls ", `$'bad\xff' `, ""},
		{"ls x; uni", "ls x; ", "uniq ", ""},
		{"ls|hea", "ls|", "head ", ""},
		{"ls && uni", "ls && ", "uniq ", ""},
		{"(uni", "(", "uniq ", ""},
		{"if uni", "if ", "uniq ", ""},
		{"A=1 uni", "A=1 ", "uniq ", ""},
		{"echo if d", "echo if ", "dir/", ""},
		{"ls >di", "ls >", "dir/", ""},
		{"./di", "", "./dir/", ""},
		{"ls nosuch/x", "ls ", "", ""},
		{"echo $myv", "echo $", "myvar", ""},
		{`echo "$myv`, `echo "$`, "myvar", ""},
		{"ls ../nosuch\\", "ls ", "", ""},
	} {
		line, tail, _ := strings.Cut(c.line, "|")
		if c.tail == "" {
			line, tail = c.line, ""
		}
		head, choices, rest := sh.complete(line+tail, len([]rune(line)))
		if got := strings.Join(choices, ";"); head != c.head || got != c.choices || rest != c.tail {
			t.Errorf("%q: got %q, %q, %q, want %q, %q, %q", c.line, head, got, rest, c.head, c.choices, c.tail)
		}
	}
	if _, choices, _ := sh.complete("", 0); !slices.Contains(choices, "ls") || !slices.Contains(choices, "cd") {
		t.Errorf("an empty line: %q", choices)
	}
}

// Whatever a file is called, its completion is one word that means it.
func FuzzRequote(f *testing.F) {
	for _, seed := range []string{"a b", `'"\*?[<>|;#`, "$HOME", "a\nb", "\xff", "~", "-x", "{a,b}", "!x", "=", "я"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" || strings.ContainsAny(name, "\x00/") {
			t.Skip()
		}
		for _, quote := range []byte{0, '\'', '"'} {
			word := requote(name, quote)
			if fields, err := fieldsOf("echo " + word); err != nil || len(fields) != 2 || fields[1] != name {
				t.Errorf("%q with %q is quoted as %s, which reads as %q, %v", name, quote, word, fields, err)
			}
		}
		if text, _ := unquote(requote(name, 0)); !strings.HasPrefix(requote(name, 0), "$'") && text != name {
			t.Errorf("%q is read back as %q", name, text)
		}
	})
}

// fieldsOf are the words that a simple command is expanded to; nothing runs.
func fieldsOf(line string) ([]string, error) {
	file, err := syntax.NewParser().Parse(strings.NewReader(line), "")
	if err != nil {
		return nil, err
	}
	if len(file.Stmts) != 1 || len(file.Stmts[0].Redirs) > 0 || file.Stmts[0].Background {
		return nil, errors.New("not one simple command")
	}
	call, ok := file.Stmts[0].Cmd.(*syntax.CallExpr)
	if !ok || len(call.Assigns) > 0 {
		return nil, errors.New("not one simple command")
	}
	globbed := false
	fields, err := expand.Fields(&expand.Config{
		Env:      expand.ListEnviron("HOME=/home"),
		ReadDir2: func(string) ([]fs.DirEntry, error) { globbed = true; return nil, nil },
	}, call.Args...)
	if globbed {
		err = errors.New("it is a pattern")
	}
	return fields, err
}

// No line makes the completion fail.
func FuzzComplete(f *testing.F) {
	f.Add(`ls 'a b`, 3)
	f.Add("x | y && \"$z", 5)
	sh, err := newShell("/", nil, nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line string, pos int) {
		characters := []rune(line)
		if pos < 0 || pos > len(characters) {
			t.Skip()
		}
		head, _, tail := sh.complete(line, pos)
		if !strings.HasPrefix(string(characters[:pos]), head) || tail != string(characters[pos:]) {
			t.Errorf("%q at %d: %q and %q are not around the cursor", line, pos, head, tail)
		}
	})
}
