package main

import (
	"cmp"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// entry is a file in a listing.
type entry struct {
	name string
	path string
	info fs.FileInfo
}

// listing is how ls lists.
type listing struct {
	*process
	long, all, human, single, dirs bool
	byTime, bySize, reverse        bool
	below                          bool
}

func ls(p *process, args []string) error {
	l := listing{process: p}
	f := p.flags()
	f.BoolVarP(&l.long, "long", "l", false, "")
	f.BoolVarP(&l.all, "all", "a", false, "")
	f.BoolVarP(&l.human, "human-readable", "h", false, "")
	f.BoolVarP(&l.byTime, "time", "t", false, "")
	f.BoolVarP(&l.bySize, "size", "S", false, "")
	f.BoolVarP(&l.reverse, "reverse", "r", false, "")
	f.BoolVarP(&l.dirs, "directory", "d", false, "")
	f.BoolVarP(&l.below, "recursive", "R", false, "")
	f.BoolVarP(&l.single, "single", "1", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	paths := f.Args()
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var files []entry
	var dirs []string
	failed := p.each(paths, func(name string) error {
		path := p.at(name)
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		// A link that somebody names is followed to its directory, unless
		// they want to see the link.
		if target, err := os.Stat(path); !l.dirs && err == nil && target.IsDir() && (info.IsDir() || !l.long || strings.HasSuffix(name, "/")) {
			dirs = append(dirs, name)
			return nil
		}
		files = append(files, entry{name, path, info})
		return nil
	})
	l.list(files)
	for i := 0; i < len(dirs); i++ {
		dir := dirs[i]
		if err := p.interrupted(); err != nil {
			return err
		}
		if len(paths) > 1 || l.below {
			if i > 0 || len(files) > 0 {
				p.printf("\n")
			}
			p.printf("%s:\n", dir)
		}
		if entries, err := l.readDir(p.at(dir)); err != nil {
			if failed != nil {
				p.complain("ls", failed)
			}
			failed = err
		} else {
			l.list(entries)
			if l.below {
				dirs = slices.Insert(dirs, i+1, dirsIn(dir, entries)...)
			}
		}
	}
	return failed
}

// dirsIn are the directories among the entries of a directory.
func dirsIn(dir string, entries []entry) (dirs []string) {
	for _, e := range entries {
		if e.info.IsDir() {
			dirs = append(dirs, at(dir, e.name))
		}
	}
	return dirs
}

// readDir lists a directory; names that begin with a dot only if all are wanted.
func (l *listing) readDir(dir string) ([]entry, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, e := range list {
		if !l.all && strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := e.Info()
		if err != nil { // removed in the meantime
			l.complain("ls", err)
			continue
		}
		entries = append(entries, entry{e.Name(), at(dir, e.Name()), info})
	}
	return entries, nil
}

func (l *listing) list(entries []entry) {
	slices.SortStableFunc(entries, func(a, b entry) int {
		order := 0
		switch {
		case l.byTime:
			order = b.info.ModTime().Compare(a.info.ModTime())
		case l.bySize:
			order = cmp.Compare(b.info.Size(), a.info.Size())
		}
		order = cmp.Or(order, strings.Compare(a.name, b.name))
		if l.reverse {
			order = -order
		}
		return order
	})
	switch {
	case l.long:
		var rows [][]string
		for _, e := range entries {
			rows = append(rows, l.row(e))
		}
		l.table(rows, "123")
	case l.width > 0 && !l.single:
		l.columns(entries)
	default:
		for _, e := range entries {
			l.printf("%s\n", l.paintName(e))
		}
	}
}

// row has what ls -l shows.
func (l *listing) row(e entry) []string {
	d := details(e.info)
	name := l.paintName(e)
	if e.info.Mode()&fs.ModeSymlink != 0 {
		if target, err := os.Readlink(e.path); err == nil {
			name += " -> " + l.shown(target)
		}
	}
	room := number(e.info.Size())
	if l.human {
		room = size(uint64(e.info.Size()))
	}
	if e.info.Mode()&fs.ModeDevice != 0 {
		room = d.device()
	}
	return []string{modeString(e.info.Mode()), d.links(), d.owner(), room, ago(e.info.ModTime()), name}
}

// shown is a name as a terminal may be given it.
func (p *process) shown(name string) string {
	if p.width == 0 {
		return name
	}
	return printable(name)
}

// paintName is the name of a file in the colour of its kind.
func (l *listing) paintName(e entry) string {
	mode := e.info.Mode()
	color := ""
	switch {
	case mode.IsDir():
		color = "1;34"
	case mode&fs.ModeSymlink != 0:
		color = "1;36"
		if _, err := os.Stat(e.path); err != nil {
			color = "1;31" // leads nowhere
		}
	case mode&fs.ModeDevice != 0:
		color = "1;33"
	case mode&(fs.ModeNamedPipe|fs.ModeSocket) != 0:
		color = "35"
	case mode&0o111 != 0:
		color = "1;32"
	}
	return l.paint(color, l.shown(e.name))
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
func (l *listing) columns(entries []entry) {
	var names []string
	widest := 0
	for _, e := range entries {
		name := l.paintName(e)
		switch mode := e.info.Mode(); {
		case mode.IsDir():
			name += "/"
		case mode&fs.ModeSymlink != 0:
			name += "@"
		}
		names = append(names, name)
		widest = max(widest, columns(name))
	}
	if len(names) == 0 {
		return
	}
	across := max(1, (l.width+2)/(widest+2))
	down := (len(names) + across - 1) / across
	var rows [][]string
	for i := range down {
		var row []string
		for j := i; j < len(names); j += down {
			row = append(row, names[j])
		}
		rows = append(rows, row)
	}
	l.table(rows, "")
}

func tree(p *process, args []string) error {
	t := treePrinter{listing: listing{process: p}}
	f := p.flags()
	f.BoolVarP(&t.all, "all", "a", false, "")
	depth := f.UintP("level", "L", 1<<20, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	paths := f.Args()
	if len(paths) == 0 {
		paths = []string{"."}
	}
	failed := p.each(paths, func(path string) error {
		p.printf("%s\n", path)
		return t.dir(p.at(path), "", *depth)
	})
	p.printf("\n%d directories, %d files\n", t.dirs, t.files)
	return failed
}

type treePrinter struct {
	listing
	dirs, files int
}

func (t *treePrinter) dir(dir, indent string, depth uint) error {
	if depth == 0 {
		return nil
	}
	if err := t.interrupted(); err != nil {
		return err
	}
	entries, err := t.readDir(dir)
	for i, e := range entries {
		branch, below := "├── ", "│   "
		if i == len(entries)-1 {
			branch, below = "└── ", "    "
		}
		name := t.paintName(e)
		if e.info.Mode()&fs.ModeSymlink != 0 {
			if target, err := os.Readlink(e.path); err == nil {
				name += " -> " + t.shown(target)
			}
		}
		t.printf("%s%s%s\n", indent, branch, name)
		if !e.info.IsDir() {
			t.files++
			continue
		}
		t.dirs++
		if err := t.dir(e.path, indent+below, depth-1); err != nil {
			if stopped := t.interrupted(); stopped != nil {
				return stopped
			}
			t.complain("tree", err)
		}
	}
	return err
}
