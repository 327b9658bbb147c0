package toolchain

import (
	"bytes"
	"fmt"
	"go/build/constraint"
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

// Any is a Count for what releases of Go have in different numbers.
const Any = -1

// Since is an edit for releases from go1.26.Patch on, where what it edits is new.
type Since struct {
	Patch int
	Edit
}

func (e Widen) path() string   { return e.File }
func (e Narrow) path() string  { return e.File }
func (e Replace) path() string { return e.File }
func (e Widen) why() string    { return e.Why }
func (e Narrow) why() string   { return e.Why }
func (e Replace) why() string  { return e.Why }

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
