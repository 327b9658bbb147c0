package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// entry is a file in a listing.
type entry struct {
	name string
	path string
	info fs.FileInfo
}

func ls(s *shell, args []string) error {
	set, paths, err := options(args, "la")
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var files []entry
	var dirs []string
	failed := s.each(paths, func(path string) error {
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		// A link that somebody names is followed to its directory, unless
		// they want to see the link.
		if target, err := os.Stat(path); err == nil && target.IsDir() && (info.IsDir() || !has(set, 'l') || strings.HasSuffix(path, "/")) {
			dirs = append(dirs, path)
			return nil
		}
		files = append(files, entry{path, path, info})
		return nil
	})
	s.list(files, has(set, 'l'))
	for i, dir := range dirs {
		if len(paths) > 1 {
			if i > 0 || len(files) > 0 {
				s.printf("\n")
			}
			s.printf("%s:\n", dir)
		}
		if entries, err := s.readDir(dir, has(set, 'a')); err != nil {
			failed = cmp.Or(failed, err)
		} else {
			s.list(entries, has(set, 'l'))
		}
	}
	return failed
}

// readDir lists a directory; names that begin with a dot only if all is set.
func (s *shell) readDir(dir string, all bool) ([]entry, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, e := range list {
		if !all && strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := e.Info()
		if err != nil { // removed in the meantime
			s.complain("ls", err)
			continue
		}
		entries = append(entries, entry{e.Name(), filepath.Join(dir, e.Name()), info})
	}
	return entries, nil
}

func (s *shell) list(entries []entry, long bool) {
	switch {
	case long:
		var rows [][]string
		for _, e := range entries {
			rows = append(rows, e.row())
		}
		s.table(rows, "123")
	case s.width > 0:
		s.columns(entries)
	default:
		for _, e := range entries {
			s.printf("%s\n", e.name)
		}
	}
}

// row has what ls -l shows.
func (e entry) row() []string {
	d := details(e.info)
	name := e.name
	if e.info.Mode()&fs.ModeSymlink != 0 {
		if target, err := os.Readlink(e.path); err == nil {
			name += " -> " + target
		}
	}
	size := number(e.info.Size())
	if e.info.Mode()&fs.ModeDevice != 0 {
		size = d.device()
	}
	return []string{modeString(e.info.Mode()), d.links(), d.owner(), size, ago(e.info.ModTime()), name}
}

// ago is the time of a file: with the year if it is not within half a year.
func ago(t time.Time) string {
	if since := time.Since(t); since < 183*24*time.Hour && since > -time.Hour {
		return t.Format("Jan _2 15:04")
	}
	return t.Format("Jan _2  2006")
}

// columns prints names side by side, sorted down the columns, directories with
// a slash and links with an @ behind them.
func (s *shell) columns(entries []entry) {
	var names []string
	widest := 0
	for _, e := range entries {
		name := e.name
		switch mode := e.info.Mode(); {
		case mode.IsDir():
			name += "/"
		case mode&fs.ModeSymlink != 0:
			name += "@"
		}
		names = append(names, name)
		widest = max(widest, utf8.RuneCountInString(name))
	}
	if len(names) == 0 {
		return
	}
	across := max(1, (s.width+2)/(widest+2))
	down := (len(names) + across - 1) / across
	var rows [][]string
	for i := range down {
		var row []string
		for j := i; j < len(names); j += down {
			row = append(row, names[j])
		}
		rows = append(rows, row)
	}
	s.table(rows, "")
}

func tree(s *shell, args []string) error {
	set, paths, err := options(args, "aL:")
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		paths = []string{"."}
	}
	t := treePrinter{shell: s, all: has(set, 'a'), depth: 1 << 20}
	if has(set, 'L') {
		t.depth = set['L']
	}
	failed := s.each(paths, func(path string) error {
		s.printf("%s\n", path)
		return t.dir(path, "", t.depth)
	})
	s.printf("\n%d directories, %d files\n", t.dirs, t.files)
	return failed
}

type treePrinter struct {
	*shell
	all         bool
	depth       int
	dirs, files int
}

func (t *treePrinter) dir(dir, indent string, depth int) error {
	if depth == 0 {
		return nil
	}
	if err := t.interrupted(); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if !t.all {
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") })
	}
	for i, e := range entries {
		branch, below := "├── ", "│   "
		if i == len(entries)-1 {
			branch, below = "└── ", "    "
		}
		path := filepath.Join(dir, e.Name())
		name := e.Name()
		if e.Type()&fs.ModeSymlink != 0 {
			if target, err := os.Readlink(path); err == nil {
				name += " -> " + target
			}
		}
		t.printf("%s%s%s\n", indent, branch, name)
		if !e.IsDir() {
			t.files++
			continue
		}
		t.dirs++
		if err := t.dir(path, indent+below, depth-1); errors.Is(err, errInterrupted) {
			return err
		} else if err != nil {
			t.complain("tree", err)
		}
	}
	return err
}
