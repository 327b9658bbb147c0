package toolchain

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
)

// Edit is one declared change to a file of the stock Go. It is strict: where
// the file is not as expected it fails and names the file.
type Edit interface {
	path() string // slash-separated, below GOROOT
	why() string
	apply(src []byte) ([]byte, error)
}

// Widen lets the target build a file that its //go:build line keeps from it.
type Widen struct{ File, Why string }

// Narrow keeps the target from building a file that it would build.
type Narrow struct{ File, Why string }

// Replace puts New for Old, which the file holds exactly Count times (0 counts
// as 1), or any number of times but none where Count is Any.
type Replace struct {
	File     string
	Old, New string
	Count    int
	Why      string
}

// Take lays a copy of a file that is Linux's under the target's name beside it:
// _linux becomes _tamago, in the name and in the //go:build line.
type Take struct{ File, Why string }

// Remove takes top-level declarations out of a file, by their names; of a method
// by its own. What the file imports for them alone is another edit's.
type Remove struct {
	File  string
	Names []string
	Why   string
}

// Any is a Count for what releases of Go have in different numbers.
const Any = -1

// Since is an edit for the releases of Go from Release on, such as go1.27.
type Since struct {
	Release string
	Edit
}

// Before is an edit for the releases of Go before Release.
type Before struct {
	Release string
	Edit
}

func (e Widen) path() string   { return e.File }
func (e Narrow) path() string  { return e.File }
func (e Replace) path() string { return e.File }
func (e Widen) why() string    { return e.Why }
func (e Narrow) why() string   { return e.Why }
func (e Replace) why() string  { return e.Why }
func (e Take) path() string    { return taken(e.File) }
func (e Take) why() string     { return e.Why }
func (e Remove) path() string  { return e.File }
func (e Remove) why() string   { return e.Why }

// taken is the name under which Take lays a file.
func taken(file string) string {
	dir, base := path.Split(file)
	return dir + strings.Replace(base, "_linux", "_tamago", 1)
}

func (e Take) apply(src []byte) ([]byte, error) {
	if taken(e.File) == e.File {
		return nil, fmt.Errorf("its name does not limit it to linux")
	}
	line, expr, err := buildLine(src)
	if err != nil {
		return nil, err
	}
	// The stock Go, which builds the tools, does not know the name: the line has
	// to keep the copy from it.
	if expr == nil {
		return append([]byte("//go:build tamago\n\n"), src...), nil
	}
	onTarget := strings.ReplaceAll(expr.String(), "linux", "tamago")
	if onTarget == expr.String() {
		onTarget = "tamago && (" + onTarget + ")"
	}
	now, err := constraint.Parse("//go:build " + onTarget)
	if err != nil || !now.Eval(targetTag) {
		return nil, fmt.Errorf("the target would not build it under %q", onTarget)
	}
	return swapLine(src, line, now), nil
}

func (e Remove) apply(src []byte) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	missing := slices.Clone(e.Names)
	named := func(id *ast.Ident) bool {
		i := slices.Index(missing, id.Name)
		if i >= 0 {
			missing = slices.Delete(missing, i, i+1)
		}
		return i >= 0
	}
	type span struct{ from, to int }
	var spans []span
	cut := func(n ast.Node, doc *ast.CommentGroup) {
		from := n.Pos()
		if doc != nil {
			from = doc.Pos()
		}
		spans = append(spans, span{fset.Position(from).Offset, fset.Position(n.End()).Offset})
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if named(d.Name) {
				cut(d, d.Doc)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				var id *ast.Ident
				var doc *ast.CommentGroup
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					id, doc = spec.Name, spec.Doc
				case *ast.ValueSpec:
					if len(spec.Names) == 1 {
						id, doc = spec.Names[0], spec.Doc
					}
				}
				if id == nil || !named(id) {
					continue
				}
				if len(d.Specs) == 1 {
					cut(d, d.Doc)
				} else {
					cut(spec, doc)
				}
			}
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("it does not declare %s", strings.Join(missing, ", "))
	}
	out := src
	for _, s := range slices.Backward(spans) {
		out = slices.Concat(out[:s.from], out[s.to:])
	}
	return out, nil
}

func (e Widen) apply(src []byte) ([]byte, error) {
	if limit := nameLimit(e.File); limit != "" {
		return nil, fmt.Errorf("its name limits it to %s, no build line can widen that", limit)
	}
	line, expr, err := buildLine(src)
	if err != nil {
		return nil, err
	}
	if expr == nil {
		return nil, fmt.Errorf("it has no //go:build line to widen")
	}
	if expr.Eval(targetTag) {
		return nil, fmt.Errorf("the target builds it already under %q", expr)
	}
	wide := &constraint.OrExpr{X: expr, Y: &constraint.TagExpr{Tag: "tamago"}}
	return swapLine(src, line, wide), nil
}

func (e Narrow) apply(src []byte) ([]byte, error) {
	if limit := nameLimit(e.File); limit != "" {
		return nil, fmt.Errorf("its name limits it to %s already", limit)
	}
	line, expr, err := buildLine(src)
	if err != nil {
		return nil, err
	}
	not := &constraint.NotExpr{X: &constraint.TagExpr{Tag: "tamago"}}
	if expr == nil {
		return append([]byte("//go:build "+not.String()+"\n\n"), src...), nil
	}
	if !expr.Eval(targetTag) {
		return nil, fmt.Errorf("the target does not build it under %q", expr)
	}
	return swapLine(src, line, &constraint.AndExpr{X: expr, Y: not}), nil
}

func (e Replace) apply(src []byte) ([]byte, error) {
	want := max(e.Count, 1)
	if e.Old == "" {
		return nil, fmt.Errorf("the edit has nothing to look for")
	}
	switch n := bytes.Count(src, []byte(e.Old)); {
	case e.Count == Any && n == 0:
		return nil, fmt.Errorf("%q does not occur", e.Old)
	case e.Count != Any && n != want:
		return nil, fmt.Errorf("%q occurs %d times, expected %d", e.Old, n, want)
	}
	return bytes.ReplaceAll(src, []byte(e.Old), []byte(e.New)), nil
}

// targetTag is the answer of GOOS=tamago GOARCH=amd64 to a build tag.
func targetTag(tag string) bool {
	return tag == "tamago" || tag == "amd64" || tag == "gc" || strings.HasPrefix(tag, "go1.")
}

// otherOS and otherArch are the names that limit a file to another target
// when they end its own name.
var (
	otherOS = strings.Fields("aix android darwin dragonfly freebsd hurd illumos ios js linux nacl " +
		"netbsd openbsd plan9 solaris wasip1 windows zos")
	otherArch = strings.Fields("386 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le " +
		"riscv64 s390x sparc64 wasm")
)

// nameLimit returns the other system or processor that a file's name limits
// it to, or nothing.
func nameLimit(file string) string {
	base := strings.TrimSuffix(path.Base(file), path.Ext(file))
	parts := strings.Split(strings.TrimSuffix(base, "_test"), "_")[1:]
	if n := len(parts); n > 0 && parts[n-1] == "amd64" {
		parts = parts[:n-1]
	}
	if n := len(parts); n > 0 && (slices.Contains(otherOS, parts[n-1]) || slices.Contains(otherArch, parts[n-1])) {
		return parts[n-1]
	}
	return ""
}

// buildLine returns the //go:build line of a file and its expression, nil
// when the file has none.
func buildLine(src []byte) (line string, expr constraint.Expr, err error) {
	inBlock := false
	for text := range strings.Lines(string(src)) {
		text = strings.TrimRight(text, "\r\n")
		trimmed := strings.TrimSpace(text)
		switch {
		case inBlock:
			inBlock = !strings.Contains(trimmed, "*/")
		case constraint.IsGoBuild(text):
			expr, err := constraint.Parse(text)
			return text, expr, err
		case strings.HasPrefix(trimmed, "/*"):
			inBlock = !strings.Contains(trimmed, "*/")
		case trimmed != "" && !strings.HasPrefix(trimmed, "//"):
			return "", nil, nil
		}
	}
	return "", nil, nil
}

func swapLine(src []byte, line string, expr constraint.Expr) []byte {
	return bytes.Replace(src, []byte(line), []byte("//go:build "+expr.String()), 1)
}
