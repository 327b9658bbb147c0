package main

import (
	"bytes"
	"errors"
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// sources are the trees of the stock Go and of the port.
type sources struct {
	stock, port string // GOROOTs
}

// testFile returns the name of the file that declares a test, and whether the
// port builds that file. The name is empty if no file does.
func (s *sources) testFile(pkg, test string) (name string, built bool, err error) {
	files, err := testFiles(s.stock, pkg)
	if err != nil {
		return "", false, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", false, err
		}
		if bytes.Contains(text, []byte("\nfunc "+test+"(")) {
			target := build.Default
			target.GOOS, target.GOARCH, target.CgoEnabled = "tamago", "amd64", false
			name = filepath.Base(file)
			built, err = target.MatchFile(filepath.Join(s.port, "src", pkg), name)
			return name, built, err
		}
	}
	return "", true, nil
}

// edited returns the names of a package's test files that differ between the
// port and the stock Go by more than the line that tells for which systems
// they are.
func (s *sources) edited(pkg string) (names []string, err error) {
	files, err := testFiles(s.stock, pkg)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		name := filepath.Join(pkg, filepath.Base(file))
		stock, err1 := os.ReadFile(file)
		port, err2 := os.ReadFile(filepath.Join(s.port, "src", name))
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		if !slices.EqualFunc(withoutTags(stock), withoutTags(port), bytes.Equal) {
			names = append(names, name)
		}
	}
	return names, nil
}

// withoutTags returns the lines of a Go file but for build constraints.
func withoutTags(text []byte) [][]byte {
	lines := bytes.Split(text, []byte("\n"))
	return slices.DeleteFunc(lines, func(line []byte) bool { return bytes.HasPrefix(line, []byte("//go:build ")) })
}

// testFiles returns the paths of a package's test files.
func testFiles(root, pkg string) (paths []string, err error) {
	dir := os.DirFS(root)
	paths, err = fs.Glob(dir, filepath.Join("src", pkg, "*_test.go"))
	for i := range paths {
		paths[i] = filepath.Join(root, paths[i])
	}
	return paths, err
}
