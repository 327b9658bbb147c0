package main

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// query is what find looks for.
type query struct {
	name     string
	fold     bool   // the case of the name does not matter
	empty    bool   // files and directories with nothing in them
	kind     string // of type: f, d, l; empty for all
	maxDepth int    // -1 for all
	newer    time.Time
	size     int64 // in bytes, -1 for all
	order    int   // of a file's size to size: -1 smaller, 1 larger, 0 the same
	unit     int64 // sizes are counted in it, rounded up
}

// find takes its tests as find(1) does, with a single dash; all have to hold.
func find(p *process, args []string) error {
	q := query{maxDepth: -1, size: -1}
	var paths []string
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		paths, args = append(paths, args[0]), args[1:]
	}
	if len(paths) == 0 {
		paths = []string{"."}
	}
	for len(args) > 0 {
		test := args[0]
		if test == "-empty" {
			q.empty, args = true, args[1:]
			continue
		}
		if !slices.Contains(tests, test) {
			return usageError(test + " is unknown")
		}
		if len(args) < 2 {
			return usageError(test + " wants a value")
		}
		if err := q.parse(p, test, args[1]); err != nil {
			return err
		}
		args = args[2:]
	}
	return p.each(paths, func(root string) error {
		return p.walk(root, func(name string, info fs.FileInfo, depth int) error {
			if q.matches(info) && (!q.empty || isEmpty(p.at(name), info)) {
				if _, err := fmt.Fprintln(p.out, p.shown(name)); err != nil {
					return err
				}
			}
			if info.IsDir() && depth == q.maxDepth {
				return fs.SkipDir
			}
			return nil
		})
	})
}

// tests are those with a value.
var tests = []string{"-name", "-iname", "-type", "-maxdepth", "-newer", "-size"}

// isEmpty reports whether nothing is in a file or directory.
func isEmpty(path string, info fs.FileInfo) bool {
	if !info.IsDir() {
		return info.Mode().IsRegular() && info.Size() == 0
	}
	dir, err := os.Open(path)
	if err != nil {
		return false
	}
	defer dir.Close()
	_, err = dir.Readdirnames(1)
	return err == io.EOF
}

func (q *query) parse(p *process, test, value string) error {
	switch test {
	case "-name", "-iname":
		if _, err := path.Match(value, ""); err != nil {
			return usageError(fmt.Sprintf("%q is no pattern", value))
		}
		if q.name, q.fold = value, test == "-iname"; q.fold {
			q.name = strings.ToLower(value)
		}
	case "-type":
		if value != "f" && value != "d" && value != "l" {
			return usageError(fmt.Sprintf("-type %q: f, d or l", value))
		}
		q.kind = value
	case "-maxdepth":
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return usageError(fmt.Sprintf("-maxdepth %q is no number", value))
		}
		q.maxDepth = int(n)
	case "-newer":
		info, err := os.Stat(p.at(value))
		if err != nil {
			return err
		}
		q.newer = info.ModTime()
	case "-size":
		return q.parseSize(value)
	}
	return nil
}

// parseSize reads [+-]N with a unit: c for bytes, k, M, G; without one, blocks of
// 512 bytes.
func (q *query) parseSize(value string) error {
	digits := value
	switch {
	case strings.HasPrefix(digits, "+"):
		q.order, digits = 1, digits[1:]
	case strings.HasPrefix(digits, "-"):
		q.order, digits = -1, digits[1:]
	}
	q.unit = 512
	if digits != "" {
		if unit, ok := map[byte]int64{'c': 1, 'k': 1 << 10, 'M': 1 << 20, 'G': 1 << 30}[digits[len(digits)-1]]; ok {
			q.unit, digits = unit, digits[:len(digits)-1]
		}
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return usageError(fmt.Sprintf("-size %q is no size", value))
	}
	q.size = int64(n)
	return nil
}

func (q *query) matches(info fs.FileInfo) bool {
	if q.name != "" {
		name := info.Name()
		if q.fold {
			name = strings.ToLower(name)
		}
		if ok, _ := path.Match(q.name, name); !ok {
			return false
		}
	}
	mode := info.Mode()
	if q.kind == "f" && !mode.IsRegular() || q.kind == "d" && !mode.IsDir() || q.kind == "l" && mode&fs.ModeSymlink == 0 {
		return false
	}
	if !q.newer.IsZero() && !info.ModTime().After(q.newer) {
		return false
	}
	if q.size < 0 {
		return true
	}
	units := (info.Size() + q.unit - 1) / q.unit
	return cmp.Compare(units, q.size) == q.order
}
