package imports

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
)

// coherent reports whether the Go files that one choice takes of a package make
// one, as far as their own declarations tell: there is a file, none declares what
// another does, and none uses what only the files of the other choice declare.
// Files are given as their text by their names. What does not parse is left to the
// compiler.
func coherent(chosen, other map[string]string) bool {
	here, there := declarations{}, declarations{}
	if !here.read(chosen) || !there.read(other) {
		return true
	}
	for name := range here.used {
		if !here.known[name] && there.known[name] && types.Universe.Lookup(name) == nil {
			return false
		}
	}
	return len(chosen) > 0 && !here.twice
}

// declarations is what the files of a package declare and use.
type declarations struct {
	top   map[string]bool // of the package: functions, types, variables, constants, and methods as type.method
	twice bool            // two files declare the same
	known map[string]bool // all of them, and fields, by their names alone
	used  map[string]bool // what a file uses and does not declare itself
}

// read reads the declarations of files, and reports whether all of them parse.
func (d *declarations) read(files map[string]string) bool {
	d.top, d.known, d.used = map[string]bool{}, map[string]bool{}, map[string]bool{}
	for name, text := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			return false
		}
		d.add(f)
	}
	return true
}

func (d *declarations) add(f *ast.File) {
	own := map[string]bool{}
	for _, decl := range f.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			d.known[decl.Name.Name] = true
			if decl.Recv != nil {
				own[receiver(decl)+"."+decl.Name.Name] = true
			} else if decl.Name.Name != "init" {
				own[decl.Name.Name] = true
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					own[spec.Name.Name] = true
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						own[id.Name] = true
					}
				}
			}
		}
	}
	delete(own, "_")
	for name := range own {
		d.twice = d.twice || d.top[name]
		d.top[name], d.known[name] = true, true
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, id := range n.Names {
				d.known[id.Name] = true
			}
		case *ast.SelectorExpr: // exported ones may be another package's
			if !n.Sel.IsExported() {
				d.used[n.Sel.Name] = true
			}
		}
		return true
	})
	for _, id := range f.Unresolved {
		if !imported(f, id.Name) {
			d.used[id.Name] = true
		}
	}
}

// receiver returns the name of the type that a method is declared for.
func receiver(f *ast.FuncDecl) (name string) {
	ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return name == ""
	})
	return name
}

// imported reports whether name may be that of a package which f imports: without
// a name of its own, a package has one that is part of its path.
func imported(f *ast.File, name string) bool {
	for _, spec := range f.Imports {
		if spec.Name != nil && (spec.Name.Name == name || spec.Name.Name == ".") || spec.Name == nil && strings.Contains(spec.Path.Value, name) {
			return true
		}
	}
	return false
}
