// Package pages reads the pages of the documentation as GitHub shows them, for the
// tests that hold them.
package pages

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// Page is a file of Markdown.
type Page struct {
	Name    string          // by slashes, from the directory that was read
	Title   string          // its first heading
	Anchors map[string]bool // what a link may name behind #
	Links   []Span          // destinations of links and images, as they are written
	Code    []Span          // what stands between backquotes in a line
	Blocks  []Block
}

// Span is a piece of a line.
type Span struct {
	Text string
	Line int // from 1
}

// Block is a block of code.
type Block struct {
	Language string // behind the fence; empty if indented
	Section  string // the heading above it
	Text     string
	Line     int // of its first line
}

// Command is what a reader types, with all its lines.
type Command struct {
	Text   string // lines are separated by newlines; a here-document belongs to it
	Output string // what stands below it
	Line   int
}

// Read reads all pages below dir but those in directories whose names begin with
// a dot or that are bin, testdata or theme.
func Read(dir string) ([]*Page, error) {
	var pages []*Page
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if name != dir && (strings.HasPrefix(base, ".") || base == "bin" || base == "testdata" || base == "theme") {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".md" {
			return nil
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		pages = append(pages, Parse(filepath.ToSlash(rel), source))
		return nil
	})
	return pages, err
}

// Parse reads one page.
func Parse(name string, source []byte) *Page {
	p := &Page{Name: name, Anchors: map[string]bool{}}
	line := func(offset int) int { return 1 + strings.Count(string(source[:offset]), "\n") }
	at, section := 1, "" // the line and the section that nodes without a place of their own are in
	within := func(n ast.Node) int {
		if t, ok := n.FirstChild().(*ast.Text); ok {
			return line(t.Segment.Start)
		}
		return at
	}
	slugs := map[string]int{}
	document := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if n.Type() == ast.TypeBlock && n.Lines().Len() > 0 {
			at = line(n.Lines().At(0).Start)
		}
		switch n := n.(type) {
		case *ast.Heading:
			section = plain(n, source)
			if p.Title == "" {
				p.Title = section
			}
			slug := Slug(section)
			if slugs[slug]++; slugs[slug] > 1 {
				slug += fmt.Sprintf("-%d", slugs[slug]-1)
			}
			p.Anchors[slug] = true
		case *ast.Text:
			at = line(n.Segment.Start)
		case *ast.Link:
			p.Links = append(p.Links, Span{string(n.Destination), within(n)})
		case *ast.Image:
			p.Links = append(p.Links, Span{string(n.Destination), within(n)})
		case *ast.CodeSpan:
			at = within(n)
			p.Code = append(p.Code, Span{plain(n, source), at})
		case *ast.CodeBlock:
			p.Blocks = append(p.Blocks, Block{"", section, string(n.Lines().Value(source)), at})
		case *ast.FencedCodeBlock:
			p.Blocks = append(p.Blocks, Block{string(n.Language(source)), section, string(n.Lines().Value(source)), at})
		}
		return ast.WalkContinue, nil
	})
	return p
}

// plain returns the text of a node without its marks.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(source))
			if t.SoftLineBreak() {
				b.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// Slug returns the anchor that GitHub gives to a heading, if no other of the page has it.
func Slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsNumber(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

// programs are those with which the lines of a block without prompts begin, if these
// are commands.
var programs = []string{"yolk", "bin/yolk", "make", "go", "git", "cd", "gdb", "man", ".ci/chroot", "sudo", "sh"}

// Commands returns what is to be typed: behind "$ ", and every line of a block of the
// language sh, or of one that begins with the name of a program that the pages use.
func (b Block) Commands() []Command {
	all := b.Language == "sh"
	first, _, _ := strings.Cut(strings.TrimSpace(b.Text), " ")
	for _, name := range programs {
		all = all || b.Language == "" && first == name
	}
	var commands []Command
	end, more := "", false // of a here-document; a line goes on
	number := b.Line - 1
	for line := range strings.Lines(b.Text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		typed, prompt := strings.CutPrefix(line, "$ ")
		last := len(commands) - 1
		switch {
		case end != "":
			commands[last].Text += "\n" + line
			if line == end {
				end = ""
			}
			continue
		case more:
			commands[last].Text += "\n" + typed
		case prompt, all && typed != "" && !strings.HasPrefix(typed, "#"):
			commands = append(commands, Command{Text: typed, Line: number})
		case last >= 0 && !all:
			commands[last].Output += line + "\n"
			continue
		default:
			continue
		}
		more = strings.HasSuffix(typed, "\\")
		if _, word, ok := strings.Cut(typed, "<<'"); ok {
			end, _, _ = strings.Cut(word, "'")
		}
	}
	return commands
}
