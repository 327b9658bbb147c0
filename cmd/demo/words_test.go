package main

import (
	"os"
	"slices"
	"testing"
)

func TestSplitLine(t *testing.T) {
	for _, c := range []struct {
		line string
		want []string // operators in <>
	}{
		{"", nil},
		{"  ls\t-l  /etc ", []string{"ls", "-l", "/etc"}},
		{`cat 'a b' "c d" e\ f`, []string{"cat", "a b", "c d", "e f"}},
		{`a'b'"c"\d`, []string{"abcd"}},
		{`'' ""`, []string{"", ""}},
		{`"it's" 'a"b' "a\"b"`, []string{"it's", `a"b`, `a"b`}},
		{`'a\b'`, []string{`a\b`}},
		{"a|b >c>>d<e;f", []string{"a", "<|>", "b", "<>>", "c", "<>>>", "d", "<<>", "e", "<;>", "f"}},
		{`a\|b '>' ";"`, []string{"a|b", ">", ";"}},
		{"a # b", []string{"a"}},
		{"a#b", []string{"a#b"}},
		{"яйцо 卵", []string{"яйцо", "卵"}},
	} {
		words, err := splitLine(c.line)
		var got []string
		for _, w := range words {
			if w.operator {
				w.text = "<" + w.text + ">"
			}
			got = append(got, w.text)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, %v, want %q", c.line, got, err, c.want)
		}
	}
	for _, line := range []string{`'a`, `"a`, `a\`, `"a\"`} {
		if words, err := splitLine(line); err == nil {
			t.Errorf("%q: no error, but %v", line, words)
		}
	}
}

func TestExpand(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"b.txt", "a.txt", "a*.txt", ".hidden.txt", "other"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		line string
		want []string
	}{
		{"*.txt", []string{"a*.txt", "a.txt", "b.txt"}},
		{"[ab].txt", []string{"a.txt", "b.txt"}},
		{"a?.txt", []string{"a*.txt"}},
		{"'a*'*", []string{"a*.txt"}},
		{`a\*.txt`, []string{"a*.txt"}},
		{"'*.txt'", []string{"*.txt"}},
		{".*.txt", []string{".hidden.txt"}},
		{"*.none", []string{"*.none"}},
		{"[", []string{"["}},
	} {
		words, err := splitLine(c.line)
		if err != nil || len(words) != 1 {
			t.Fatalf("%q: %v, %v", c.line, words, err)
		}
		if got := words[0].expand(); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.line, got, c.want)
		}
	}
}

func FuzzQuoteWord(f *testing.F) {
	f.Add("a b")
	f.Add(`'"\*?[<>|;#`)
	f.Fuzz(func(t *testing.T, s string) {
		if s == "" {
			t.Skip()
		}
		words, err := splitLine(quoteWord(s))
		if err != nil || len(words) != 1 || words[0].text != s || words[0].pattern != "" || words[0].operator {
			t.Errorf("%q is quoted as %s, which reads as %v, %v", s, quoteWord(s), words, err)
		}
	})
}
