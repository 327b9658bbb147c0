package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// speakers are the directories whose messages users see.
var speakers = []string{"cmd/yolk", "qemu", "usernet", "toolchain", "kernel", "arch", "drivers", "fs", "syscalls", "netstack"}

// silent are below them: what is for tests alone, files of /proc, the table of system calls,
// what is drawn of them, the lines and pictures of a trace, edits of sources, and what the go command says.
var silent = []string{"testdata", "fs/diskfs/internal/samples", "fs/fstest", "fs/fusefs/fusetest", "drivers/virtio/virtiotest", "fs/procfs", "kernel/metrics_tamago.go", "netstack/procnet.go", "syscalls/memfd", "syscalls/calls.go",
	"cmd/yolk/internal/trace/tracetest", "cmd/yolk/internal/trace/text.go", "cmd/yolk/internal/trace/svg.go",
	"cmd/yolk/internal/inspect/svg.go", "cmd/yolk/internal/inspect/view.go", "arch/amd64/areas_tamago.go",
	"cmd/yolk/internal/image/thirdparty_edits.go",
	"toolchain/_files/src/cmd"}

// wrappers are the functions that make messages of their arguments: {N} is the
// argument N, and … what is another each time.
var wrappers = map[string]string{
	"fmt.Errorf": "{0}", "errors.New": "{0}", "errorText": "{0}", "Corrupt": "{2}",
	"virtio.Errorf": "…: {1}: {2}", "Errorf": "…: {1}: {2}", // of package virtio
	"badReply": "…: FUSE … reply: {1} … {3}", "badName": "…: FUSE … reply: {1} … {3}",
	"d.fault": "…: {0}", "q.complain": "virtqueue …: {0}",
	"g.note": "yolk: {0}", "tell": "{1}",
	"logf": "{0}", "log": "{0}", "Logf": "{0}", "Log": "{0}", "Print": "{0}",
	"usercache.Find": "{1}: …",
	"fatal":          "{0}", "throw": "{0}", "trapFatal": "{2}", "panic": "{0}",
}

// other are sentences that are no messages: help, what others say and is looked for, names.
var other = []string{
	"another go.mod, with its go.sum beside it", "JSON file that puts files in the place of others", "build all packages anew",
	"say in the image which commit it is of: true, false or auto", "leave new directories of the module cache writable",
	"mod brings go.mod up to date, vendor builds from the vendor directory, readonly",
	"build tags, separated by commas", "[pattern=]flags for the linker", "[pattern=]flags for the compiler",
	"[pattern=]flags for the assembler", "no paths of this machine in the image", "file with a profile to optimize for, auto or off",
	"build constraints exclude all Go files", "function main is undeclared", "No space left on device", "exceeds free space on media", "yolk, of an unknown version",
	"kvm, proved by booting a guest", "the process that serves it", "the tools need an identity of their own in the build cache",
	"Max core file size", "request for its name", "/proc/self/fd/…", "…, … dialect, sandbox …; built-in server as well",
	"init functions below the kernel", "fs: mounts, sessions with file servers", "init functions of the program",
	"files that the program writes, which stay", "keys and passwords, read-only",
	", the first … of … spans", "(…, node …, unique …, … bytes)",
	"the built-in server of …", "file servers of the host", "/proc/…/fd/…/gdb", "set auto-load python-scripts off",
}

// parts are directories whose sentences stand in a message that is made in one place.
var parts = []string{"arch/amd64/acpi", "fs/diskfs/zstd", "fs/diskfs/lzma"}

// message is what a place of the source may say.
type message struct{ text, place string }

// messages collects what the speakers say.
func messages(t *testing.T) []message {
	t.Helper()
	var found []message
	for _, dir := range speakers {
		err := filepath.WalkDir(filepath.Join(top, dir), func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(top, name)
			if err != nil {
				return err
			}
			if d.IsDir() && (slices.Contains(silent, rel) || d.Name() == "testdata" || d.Name() == "tracetest") {
				return fs.SkipDir
			}
			if filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || slices.Contains(silent, rel) || strings.HasPrefix(rel, "toolchain/edits") {
				return nil
			}
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, name, nil, 0)
			if err != nil {
				return err
			}
			say := func(text string, at token.Pos) {
				if slices.Contains(other, text) || strings.HasPrefix(text, "<") { // XML is none
					return
				}
				found = append(found, message{text, fmt.Sprintf("%s:%d", rel, fset.Position(at).Line)})
			}
			used := map[ast.Expr]bool{} // parts of messages that have been found
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ImportSpec, *ast.Field:
					return false
				case *ast.KeyValueExpr: // what is on help pages is no message
					if key, ok := n.Key.(*ast.Ident); ok && slices.Contains([]string{"Use", "Short", "Long", "Example"}, key.Name) {
						return false
					}
				case *ast.CallExpr:
					if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Fields" { // a list
						return false
					}
					if s, ok := n.Fun.(*ast.SelectorExpr); ok && flagOf.MatchString(s.Sel.Name) {
						return false
					}
					text, known := said(n)
					if text != "" {
						say(text, n.Pos())
					}
					for _, arg := range n.Args {
						used[arg] = known
					}
				case *ast.BinaryExpr, *ast.BasicLit: // what is returned, or put together
					if e := n.(ast.Expr); !used[e] && sentence.MatchString(literal(e)) && !slices.Contains(parts, filepath.Dir(rel)) {
						say(strings.TrimSpace(literal(e)), n.Pos())
					} else if !used[e] {
						return true
					}
					return false
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// sentence is in what is for people.
var sentence = regexp.MustCompile(`[A-Za-z'-]+,?( [a-z'-]+,?){3,}`)

// flagOf matches the methods by which options get their help.
var flagOf = regexp.MustCompile(`VarP?$|^VarPF$`)

// said returns the message that a call makes, if it makes one, and whether it is of
// those that do.
func said(call *ast.CallExpr) (text string, known bool) {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
		if x, ok := f.X.(*ast.Ident); ok && wrappers[x.Name+"."+name] != "" || ok && x.Name == "fmt" {
			name = x.Name + "." + name
		}
	}
	arg := func(i int) string {
		if i >= len(call.Args) {
			return ""
		}
		return literal(call.Args[i])
	}
	switch form := wrappers[name]; {
	case name == "fmt.Fprintf" || name == "fmt.Fprintln":
		// Of what is written to a stream these are messages.
		if text = arg(1); !strings.HasPrefix(text, "yolk: ") && !strings.HasPrefix(text, "toolchain: ") {
			return "", true
		}
	case name == "fmt.Sprintf":
		// A name or a message, which is put into another one.
		if text = arg(0); len(regexp.MustCompile(`[a-zA-Z]{2,}`).FindAllString(text, -1)) < 3 {
			return "", true
		}
	case form == "":
		return "", false
	default:
		text = form
		for i := range 4 {
			text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i), arg(i))
		}
	}
	text = strings.TrimSpace(text)
	if len(letters.FindAllString(strings.TrimPrefix(text, "yolk: "), -1)) < 4 || qemuOption.MatchString(text) {
		return "", true // it passes on what another call has made
	}
	return text, true
}

var letters = regexp.MustCompile(`\pL`)

// qemuOption is in what is written for QEMU, not for people; so is what begins with < for others.
var qemuOption = regexp.MustCompile(`\w+,\w+=|,\w+=`)

// verb is one of fmt's.
var verb = regexp.MustCompile(`%[-+# 0]*(\[\d+\])?[\d*]*(\.[\d*]+)?(\[\d+\])?[a-zA-Z]`)

// literal returns the text of an expression, with … for what is not known.
func literal(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			if s, err := strconv.Unquote(e.Value); err == nil {
				return strings.ReplaceAll(verb.ReplaceAllString(s, "…"), "%%", "%")
			}
		}
	case *ast.BinaryExpr:
		return literal(e.X) + literal(e.Y)
	case *ast.ParenExpr:
		return literal(e.X)
	}
	return "…"
}

// TestTroubleshooting: docs/TROUBLESHOOTING.md has cause and cure of every message, and no
// message that nothing says.
func TestTroubleshooting(t *testing.T) {
	const name = "docs/TROUBLESHOOTING.md"
	page, err := os.ReadFile(filepath.Join(top, name))
	if err != nil {
		t.Fatal(err)
	}
	type entry struct {
		pattern string
		match   *regexp.Regexp
		line    int
		used    bool
	}
	var entries []*entry
	number := 0
	for line := range strings.Lines(string(page)) {
		number++
		cells := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), `\|`, "\x00"), "|")
		if len(cells) != 5 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		for i, cell := range []string{"message", "cause", "cure"} {
			if len(letters.FindAllString(cells[i+1], -1)) < 4 {
				t.Errorf("%s:%d: no %s", name, number, cell)
			}
		}
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			pattern := strings.ReplaceAll(m[1], "\x00", "|")
			if len(letters.FindAllString(pattern, -1)) < 2 {
				t.Errorf("%s:%d: the message `%s` says too little: it would stand for many", name, number, pattern)
			}
			quoted := strings.ReplaceAll(regexp.QuoteMeta(pattern), "…", ".*")
			entries = append(entries, &entry{pattern, regexp.MustCompile("(?s)^" + quoted + "$"), number, false})
		}
	}
	all := messages(t)
	missing := 0
	for _, m := range all {
		known := false
		for _, e := range entries {
			if e.match.MatchString(m.text) {
				known, e.used = true, true
			}
		}
		if !known {
			missing++
			t.Errorf("%s: %s has no line for this message; add one with its cause and cure:\n\t%s", m.place, name, m.text)
		}
	}
	for _, e := range entries {
		if !e.used {
			t.Errorf("%s:%d: nothing says `%s` any more", name, e.line, e.pattern)
		}
	}
	t.Logf("%d messages, %d of them missing, in %d patterns", len(all), missing, len(entries))
}
