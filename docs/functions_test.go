package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestFunctions: where a page names a function with its file, as in `fs/open.go: VFS.Open`,
// it is there. Files that are not the repository's are the standard library's.
func TestFunctions(t *testing.T) {
	form := regexp.MustCompile(`^([\w/.-]+\.(?:go|s)): ([\w.]+)$`)
	found := 0
	for name, p := range read(t) {
		for _, s := range p.Code {
			m := form.FindStringSubmatch(s.Text)
			if m == nil {
				continue
			}
			found++
			file := filepath.Join(top, m[1])
			if _, err := os.Stat(file); err != nil {
				file = filepath.Join(runtime.GOROOT(), "src", m[1])
			}
			if err := declares(file, m[2]); err != nil {
				t.Errorf("%s:%d: %s: %v", name, s.Line, s.Text, err)
			}
		}
	}
	if found < 50 {
		t.Errorf("%d functions found on the pages", found)
	}
}

// declares looks for a function, a method with its type before it, or a type in a file.
func declares(file, name string) error {
	if filepath.Ext(file) == ".s" {
		text, err := os.ReadFile(file)
		if err == nil && !regexp.MustCompile(`(?m)^TEXT \S*?`+regexp.QuoteMeta(name)+`(<>)?\(SB\)`).Match(text) {
			err = fmt.Errorf("the file has no TEXT %s", name)
		}
		return err
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return err
	}
	var near []string
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			full := d.Name.Name
			if d.Recv != nil {
				full = receiver(d.Recv.List[0].Type) + "." + full
			}
			if full == name {
				return nil
			}
			if strings.HasSuffix(full, name[strings.LastIndex(name, ".")+1:]) {
				near = append(near, full)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if s, ok := spec.(*ast.TypeSpec); ok && s.Name.Name == name {
					return nil
				}
			}
		}
	}
	return fmt.Errorf("the file does not declare it, but %q", near)
}

// receiver returns the name of a method's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// TestDeclares: what is not there is seen.
func TestDeclares(t *testing.T) {
	for name, want := range map[string]bool{"declares": true, "TestDeclares": true, "declare": false, "T.declares": false} {
		if err := declares("functions_test.go", name); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
