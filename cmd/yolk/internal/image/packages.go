package image

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pkg is what go list tells about a package.
type pkg struct {
	Dir            string
	ImportPath     string
	Name           string
	GoFiles        []string
	IgnoredGoFiles []string // by their build constraints, or as they import "C"
	TestGoFiles    []string
	XTestGoFiles   []string
	Module         *module
	Error          *struct{ Err string }
}

// module is what go list tells about a package's module.
type module struct{ Path, Version, Dir string }

// place splits a package argument that is a directory or file into the
// directory to work in and the package seen from there, so that the package's
// own module counts and not that of the working directory.
func (b *Builder) place(ctx context.Context, args []string) (dir string, rest []string, err error) {
	if len(args) == 0 {
		args = []string{"."}
	}
	first := args[0]
	switch {
	case isFile(first):
		for _, a := range args {
			if !isFile(a) || filepath.Dir(a) != filepath.Dir(first) {
				return "", nil, fmt.Errorf("%s: the files of a program must be .go files of one directory", a)
			}
			if _, err := os.Stat(a); err != nil {
				return "", nil, err
			}
			rest = append(rest, filepath.Base(a))
		}
		dir, err = filepath.Abs(filepath.Dir(first))
		return dir, rest, err
	case len(args) == 1 && isRemote(first):
		return b.fetch(ctx, first)
	case len(args) == 1 && isLocal(first) && !strings.Contains(first, "..."):
		info, err := os.Stat(first)
		if err != nil {
			return "", nil, err
		}
		if !info.IsDir() {
			return "", nil, fmt.Errorf("%s: neither a directory nor a .go file", first)
		}
		dir, err = filepath.Abs(first)
		return dir, []string{"."}, err
	}
	dir, err = os.Getwd()
	return dir, args, err
}

// isLocal reports whether the go command takes a package argument for a path.
func isLocal(arg string) bool {
	return arg == "." || arg == ".." || strings.HasPrefix(arg, "./") || strings.HasPrefix(arg, "../") || filepath.IsAbs(arg)
}

// isRemote reports whether go run takes a package argument for PKG@VERSION.
func isRemote(arg string) bool { return strings.Contains(arg, "@") && !isLocal(arg) }

func isFile(arg string) bool { return strings.HasSuffix(arg, ".go") && !isRemote(arg) }

// programName is the name that go build would give the program: the last
// element of the import path that is no major version.
func programName(p pkg) string {
	if p.ImportPath == "command-line-arguments" || p.ImportPath == "." {
		return filepath.Base(p.Dir)
	}
	name := filepath.Base(p.ImportPath)
	if parent := filepath.Dir(p.ImportPath); isMajor(name) && parent != "." {
		return filepath.Base(parent)
	}
	return name
}

// isMajor reports whether an element of an import path is v2, v3, ….
func isMajor(name string) bool {
	digits, ok := strings.CutPrefix(name, "v")
	return ok && digits != "" && digits != "1" && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
}

// list describes packages without looking at what they import. It sees to it
// that an overlay can add files to them.
func (b *Builder) list(ctx context.Context, dir string, ws *workspace, tags string, args []string) ([]pkg, error) {
	list := slices.Concat(
		[]string{"list", "-e", "-find", "-json=Dir,ImportPath,Name,GoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles,Module,Error", "-tags=" + tags},
		ws.flags, []string{"--"}, args)
	for again := false; ; again = true {
		out, err := b.goCommand(ctx, dir, ws.env, list...)
		if err != nil {
			return nil, err
		}
		pkgs, err := decodeList[pkg](out)
		if err != nil || again {
			return pkgs, err
		}
		if lifted, err := b.lift(ctx, ws, pkgs); err != nil || !lifted {
			return pkgs, err
		}
	}
}

// decodeList reads what go list -json prints.
func decodeList[T any](out []byte) (list []T, err error) {
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var v T
		switch err := dec.Decode(&v); err {
		case nil:
			list = append(list, v)
		case io.EOF:
			return list, nil
		default:
			return nil, fmt.Errorf("go list: %w", err)
		}
	}
}
